import { Counter, Registry } from "prom-client";

/** What the server counts, by the names under which Prometheus reads it. Nothing in a label comes from a client. */
export type Metrics = {
  readonly registry: Registry;
  /** How refresh tokens fared: a rise of `stolen` or `unknown` is an attack, one of `retried` a bad network. */
  readonly refreshes: Counter<"outcome">;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const refreshes = new Counter({
    name: "tollgate_refreshes_total",
    help: "Uses of refresh tokens by outcome: rotated, retried, overlapped, stolen, expired, revoked, unknown.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return { registry, refreshes };
}
