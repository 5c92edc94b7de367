import type { Clock } from "./clock.ts";
import { createOutage, type Outage } from "./database/outage.ts";
import { createTurnableClock, type TurnableClock } from "./turnable-clock.ts";

/** What a person may turn on a development server. */
export type DevelopmentSwitches = {
  readonly outage: Outage;
  readonly clock: TurnableClock;
  /** Turns one, in every process of this server: it is turned when the promise is kept. */
  readonly turn: (turn: SwitchTurn) => Promise<void>;
};

export type SwitchTurn =
  | { readonly turn: "clock-ahead" | "database-away"; readonly milliseconds: number }
  | { readonly turn: "clock-back" | "database-there" };

/** How all of them stand, for another process: durations, for each has its own monotonic time. */
export type SwitchState = {
  readonly clock: ReturnType<TurnableClock["offsets"]>;
  readonly outageMilliseconds: number;
};

/** Those of one process. */
export function createSwitches(realClock: Clock): DevelopmentSwitches {
  const outage = createOutage(realClock);
  const clock = createTurnableClock(realClock);
  const turn = (wanted: SwitchTurn): void => {
    switch (wanted.turn) {
      case "clock-ahead":
        return clock.advance(wanted.milliseconds);
      case "clock-back":
        return clock.reset();
      case "database-away":
        return outage.begin(wanted.milliseconds);
      case "database-there":
        return outage.end();
      default:
        return wanted satisfies never;
    }
  };
  return { outage, clock, turn: async (wanted) => turn(wanted) };
}

export function switchState({ clock, outage }: Pick<DevelopmentSwitches, "clock" | "outage">): SwitchState {
  return { clock: clock.offsets(), outageMilliseconds: outage.remainingMilliseconds() };
}

export function takeOverSwitches({ clock, outage }: DevelopmentSwitches, state: SwitchState): void {
  clock.turnTo(state.clock);
  if (state.outageMilliseconds > 0) outage.begin(state.outageMilliseconds);
  else outage.end();
}
