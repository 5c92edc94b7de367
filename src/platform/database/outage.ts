import type { Dialect } from "kysely";
import type { Clock } from "../clock.ts";
import { wrapDirectRead } from "./direct-reads.ts";

/**
 * The database as if it were away, for a while and in development only: so that a person can see what a server does
 * then. It comes back by itself.
 */
export type Outage = {
  /** From now on, so long. */
  readonly begin: (milliseconds: number) => void;
  readonly end: () => void;
  /** 0 when the database is there. */
  readonly remainingMilliseconds: () => number;
};

export class DatabaseSwitchedOff extends Error {
  override readonly name = "DatabaseSwitchedOff";
}

/** @param clock one that nobody turns: the seconds are those of the person who waits. */
export function createOutage(clock: Pick<Clock, "monotonicNow">): Outage {
  let endsAt = Number.NEGATIVE_INFINITY;
  return {
    begin: (milliseconds) => {
      endsAt = clock.monotonicNow() + milliseconds;
    },
    end: () => {
      endsAt = Number.NEGATIVE_INFINITY;
    },
    remainingMilliseconds: () => Math.max(0, endsAt - clock.monotonicNow()),
  };
}

/**
 * The same database, which hands out no connection during an outage. A transaction has its connection from its
 * beginning, so one that is under way is finished, never torn in two.
 */
export function withOutage(dialect: Dialect, outage: Outage): Dialect {
  return {
    createDriver: () => {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async (options) => {
        if (outage.remainingMilliseconds() > 0) throw new DatabaseSwitchedOff("POST /dev/faults has the database away");
        return acquire(options);
      };
      return driver;
    },
    createAdapter: () =>
      wrapDirectRead(dialect.createAdapter(), (read) => (query) => {
        return outage.remainingMilliseconds() > 0 ? undefined : read(query);
      }),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}
