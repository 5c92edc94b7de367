/** The gates of every request, in order: the words of the server, the Lab and the log. */
export const gates = ["route", "limit", "authenticate", "authorize", "validate", "handle", "depend"] as const;

export type Gate = (typeof gates)[number];

export type GateReport = {
  readonly gate: Gate;
  readonly outcome: "passed" | "refused";
  /** In words. */
  readonly saw: string;
  readonly milliseconds: number;
};

/** What the gates said of a request, from its `Server-Timing` header; empty in production, which does not tell. */
export function readServerTiming(header: string): readonly GateReport[] {
  const reports: GateReport[] = [];
  for (const [, name, outcome, saw, duration] of header.matchAll(
    /([a-z]+);desc="(passed|refused): ([^"]*)";dur=([\d.]+)/g,
  )) {
    const gate = gates.find((one) => one === name);
    if (gate === undefined || saw === undefined) continue;
    const isRefused = outcome === "refused";
    reports.push({ gate, outcome: isRefused ? "refused" : "passed", saw, milliseconds: Number(duration) });
  }
  return reports;
}
