import { Counter, Histogram, Registry } from "prom-client";
import type { Config } from "../../config.ts";

/** What the server counts, by the names under which Prometheus reads it. Nothing in a label comes from a client. */
export type Metrics = {
  readonly registry: Registry;
  /** Answered requests: `route` as it is declared, or `none`; `refused_by` is the gate, or `none`. */
  readonly requests: Counter<"method" | "route" | "status" | "refused_by">;
  /** Clients that left before their answer. */
  readonly requestsLeft: Counter;
  /** How long answers took, streams left out. */
  readonly requestSeconds: Histogram<"method" | "route">;
  readonly signUps: Counter;
  readonly signIns: Counter;
  /** Passwords that were not right, whether or not there is such an account. */
  readonly wrongPasswords: Counter;
  /** How refresh tokens fared: a rise of `stolen` or `unknown` is an attack, one of `retried` or `duplicate` a bad network. */
  readonly refreshes: Counter<"outcome">;
  /** What became of tries to send a mail: a rise of `deferred` or `refused` is a relay that does not want ours. */
  readonly mails: Counter<"step">;
  /** How long statements took, and how long a connection or a turn was waited for (`wait`). */
  readonly databaseSeconds: Histogram<"statement">;
  /** Spans that no collector took. */
  readonly spansDropped: Counter;
  /** How long hashes took, waiting for a thread included. */
  readonly hashSeconds: Histogram<"task">;
};

export const refreshOutcomes = [
  "rotated",
  "retried",
  "overlapped",
  "duplicate",
  "stolen",
  "expired",
  "revoked",
  "unknown",
] as const;

/** From a quarter of a millisecond to 16 s, each twice the one before. */
export const latencyBoundsSeconds: readonly number[] = Array.from({ length: 17 }, (_, power) => 0.000_25 * 2 ** power);

const databaseBoundsSeconds = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
const hashBoundsSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Whether anybody can read the metrics: without a port or a token of their own there is no page. */
export function areMetricsShown({ metrics: { port, token } }: Pick<Config, "metrics">): boolean {
  return port !== undefined || token !== undefined;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `tollgate_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> => new Histogram({ name: `tollgate_${name}`, help, labelNames, buckets: [...buckets], registers });
  const metrics = {
    registry,
    requests: counter("requests_total", "Answered requests by route, status and the gate that refused them, or none.", [
      "method",
      "route",
      "status",
      "refused_by",
    ]),
    requestsLeft: counter("requests_left_total", "Requests whose clients left before their answer."),
    requestSeconds: histogram(
      "request_duration_seconds",
      "How long answers took, by route, streams left out.",
      ["method", "route"],
      latencyBoundsSeconds,
    ),
    signUps: counter("sign_ups_total", "Accounts that people made for themselves."),
    signIns: counter("sign_ins_total", "Sign-ins of accounts that were there."),
    wrongPasswords: counter("wrong_passwords_total", "Passwords that were not right."),
    refreshes: counter("refreshes_total", `Uses of refresh tokens by outcome: ${refreshOutcomes.join(", ")}.`, [
      "outcome",
    ]),
    mails: counter("mails_total", "What came of tries to send a mail.", ["step"]),
    spansDropped: counter("spans_dropped_total", "Spans of traces that no collector took."),
    databaseSeconds: histogram(
      "database_seconds",
      "How long the database took, by statement; wait is for a connection or a turn.",
      ["statement"],
      databaseBoundsSeconds,
    ),
    hashSeconds: histogram(
      "hash_seconds",
      "How long hashes of passwords took, waiting for a thread included.",
      ["task"],
      hashBoundsSeconds,
    ),
  } satisfies Metrics;
  // A first increase is one only where there was a zero before.
  for (const outcome of refreshOutcomes) metrics.refreshes.inc({ outcome }, 0);
  return metrics;
}
