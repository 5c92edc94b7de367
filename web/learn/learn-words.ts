export const learnWords = {
  run: "Run",
  runAgain: "Run again",
  running: "Running…",
  runOnlyInDevelopment: "Requests run here when the server is in development mode. With curl they do anywhere.",
  asExpected: "As expected.",
  notAsExpected: "Not as the chapter says:",
  gates: (gates: string): string => `Gates: ${gates}`,
  noAnswer: "The server did not answer. Is it still running?",
  sent: "Sent",
  answered: "Answered",
  progress: (done: number, all: number): string => (done === all ? "all run" : `${done} of ${all} run`),
} as const;
