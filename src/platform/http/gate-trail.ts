import type { Gate } from "../../contract/gates.ts";
import type { Platform } from "../platform.ts";
import type { GateEntry } from "./decisions.ts";

/** Whether answers tell of the gates' times: not where a request could switch it on. */
export function isTrailShown({ mode }: Platform["config"]): boolean {
  return mode === "development";
}

/** The way of one request through the gates, written as it goes. */
export class GateTrail {
  readonly entries: GateEntry[] = [];
  readonly startedAt: number;
  readonly #monotonicNow: () => number;
  #mark: number;

  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
    this.startedAt = monotonicNow();
    this.#mark = this.startedAt;
  }

  passed(gate: Gate, saw: string): void {
    this.#write(gate, "passed", saw);
  }

  refused(gate: Gate, saw: string): void {
    this.#write(gate, "refused", saw);
  }

  elapsedMilliseconds(): number {
    return this.#monotonicNow() - this.startedAt;
  }

  /** The `Server-Timing` header (W3C): each gate with its outcome and duration. */
  serverTiming(): string {
    return this.entries
      .map(
        ({ gate, outcome, saw, durationMilliseconds }) =>
          `${gate};desc="${outcome}: ${saw}";dur=${durationMilliseconds.toFixed(3)}`,
      )
      .join(", ");
  }

  #write(gate: Gate, outcome: GateEntry["outcome"], saw: string): void {
    const now = this.#monotonicNow();
    this.entries.push({ gate, outcome, saw, durationMilliseconds: now - this.#mark });
    this.#mark = now;
  }
}
