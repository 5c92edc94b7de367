/** What the parts say that all pages share. */
export const partWords = {
  brokenTitle: "This page has a fault",
  brokenText: "What you did may or may not have been done. Nothing else is lost: load the page again and look.",
  reload: "Load again",
  tryAgain: "Try again",
  cancel: "Cancel",
  close: "Close",
  copy: "Copy",
  show: "Show",
  hide: "Hide",
  undo: "Undo",
  loading: "Loading",
  why: "What this means and what to do",
  requestId: "Request",
  waitSeconds: (seconds: number): string =>
    seconds === 1 ? "You can try again in 1 second." : `You can try again in ${seconds} seconds.`,
  waitOver: "You can try again now.",
  requestsMade: (count: number): string => `Requests this page made (${count})`,
  requestsWhy: "Whatever a page does, you can do with curl: these are the same requests.",
  noAnswer: "no answer",
  justNow: "just now",
  today: "today",
} as const;
