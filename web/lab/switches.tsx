import { useEffect, useState } from "preact/hooks";
import { useCountdown } from "../parts/notice.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { api, ask } from "../server.ts";
import { labWords as words } from "./lab-words.ts";

export type Switches = {
  /** Seconds that the database is away yet, as of the last answer. */
  readonly awaySeconds: number;
  readonly clockSeconds: number;
  /** Reads them anew: a request may have turned one. */
  readonly look: () => Promise<void>;
  readonly switchDatabaseOff: () => Promise<void>;
  readonly switchDatabaseOn: () => Promise<void>;
  readonly advanceClock: (seconds: number) => Promise<void>;
  readonly resetClock: () => Promise<void>;
};

/** The switches of a server in development: a database that goes away, a clock that goes ahead. */
export function useSwitches(): Switches {
  const [awaySeconds, setAwaySeconds] = useState(0);
  const [clockSeconds, setClockSeconds] = useState(0);
  const setDatabase = async (database: "there" | "away"): Promise<void> => {
    const answer = await ask(api.POST("/dev/faults", { body: { database } }));
    if ("data" in answer) setAwaySeconds(answer.data.seconds_left);
  };
  const look = async (): Promise<void> => {
    if (!screenFacts.isDevelopment) return;
    const [faults, clock] = await Promise.all([ask(api.GET("/dev/faults")), ask(api.GET("/dev/clock"))]);
    if ("data" in faults) setAwaySeconds(faults.data.seconds_left);
    if ("data" in clock) setClockSeconds(clock.data.offset_seconds);
  };
  useEffect(() => void look(), []);
  return {
    look,
    awaySeconds,
    clockSeconds,
    switchDatabaseOff: () => setDatabase("away"),
    switchDatabaseOn: () => setDatabase("there"),
    advanceClock: async (seconds) => {
      const answer = await ask(api.POST("/dev/clock", { body: { advance_seconds: seconds } }));
      if ("data" in answer) setClockSeconds(answer.data.offset_seconds);
    },
    resetClock: async () => {
      const answer = await ask(api.DELETE("/dev/clock"));
      if ("data" in answer) setClockSeconds(answer.data.offset_seconds);
    },
  };
}

/** What is broken on purpose now, and the way back. */
export function SwitchNotices({ switches }: { readonly switches: Switches }) {
  const { awaySeconds, clockSeconds, switchDatabaseOn, resetClock } = switches;
  const secondsLeft = useCountdown(awaySeconds > 0 ? awaySeconds : undefined);
  return (
    <>
      {awaySeconds > 0 && secondsLeft > 0 ? (
        <p class="switch-notice">
          {words.databaseAway(secondsLeft)}{" "}
          <button type="button" class="plain" onClick={() => void switchDatabaseOn()}>
            {words.bringBack}
          </button>
        </p>
      ) : null}
      {clockSeconds > 0 ? (
        <p class="switch-notice">
          {clockSeconds < 60 ? words.clockAheadSeconds(clockSeconds) : words.clockAhead(Math.round(clockSeconds / 60))}{" "}
          <button type="button" class="plain" onClick={() => void resetClock()}>
            {words.clockBack}
          </button>
        </p>
      ) : null}
    </>
  );
}
