import { Counter, Histogram, Registry } from "prom-client";

/** What the server counts, by the names under which Prometheus reads it. Nothing in a label comes from a client. */
export type Metrics = {
  readonly registry: Registry;
  /** Answered requests by the gate that refused them, or `none`. */
  readonly requests: Counter<"refused_by">;
  /** How long answers took, streams left out. */
  readonly requestSeconds: Histogram;
  readonly signUps: Counter;
  readonly signIns: Counter;
  /** Passwords that were not right, whether or not there is such an account. */
  readonly wrongPasswords: Counter;
  /** How refresh tokens fared: a rise of `stolen` or `unknown` is an attack, one of `retried` or `duplicate` a bad network. */
  readonly refreshes: Counter<"outcome">;
  /** What became of tries to send a mail: a rise of `deferred` or `refused` is a relay that does not want ours. */
  readonly mails: Counter<"step">;
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

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `tollgate_${name}`, help, labelNames, registers });
  return {
    registry,
    requests: counter("requests_total", "Answered requests by the gate that refused them, or none.", ["refused_by"]),
    requestSeconds: new Histogram({
      name: "tollgate_request_duration_seconds",
      help: "How long answers took, streams left out.",
      buckets: [...latencyBoundsSeconds],
      registers,
    }),
    signUps: counter("sign_ups_total", "Accounts that people made for themselves."),
    signIns: counter("sign_ins_total", "Sign-ins of accounts that were there."),
    wrongPasswords: counter("wrong_passwords_total", "Passwords that were not right."),
    refreshes: counter("refreshes_total", `Uses of refresh tokens by outcome: ${refreshOutcomes.join(", ")}.`, [
      "outcome",
    ]),
    mails: counter("mails_total", "What came of tries to send a mail.", ["step"]),
  };
}
