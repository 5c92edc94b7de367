import type { Clock } from "../clock.ts";
import { extendWindow, forever, guardTables, timeOf, unguardTables } from "../database/read-only-window.ts";
import type { MoveState } from "../database/tables.ts";
import { inTransaction } from "../database/transaction.ts";
import { StartError } from "../start-error.ts";
import type { MoveSide } from "./move-side.ts";

const leaseMilliseconds = 30_000;
const renewMilliseconds = 5_000;

type WindowOptions = {
  readonly id: string;
  readonly other: string;
  /** What the source is again when the work fails. */
  readonly orElse: MoveState;
  readonly clock: Pick<Clock, "now">;
};

/** Runs the work while the source takes no writes; `check` throws once that is not sure any more. */
export async function inWindow<R>(
  source: MoveSide,
  { id, other, orElse, clock }: WindowOptions,
  work: (check: () => void) => Promise<R>,
): Promise<R> {
  const tables = await source.tableNames();
  await inTransaction(source, async ({ db }) => {
    const until = (await timeOf(db)) + leaseMilliseconds;
    await db.deleteFrom("moves").execute();
    const row = { id, state: "leaving", other, started_at: clock.now(), read_only_until: until } as const;
    await db.insertInto("moves").values(row).execute();
    await guardTables(db, tables, until);
  });
  const keeper = keepOpen(source, id);
  try {
    return await work(keeper.check);
  } catch (error) {
    await keeper.stop();
    await goOn(source, id, orElse);
    throw error;
  } finally {
    await keeper.stop();
  }
}

function keepOpen(source: MoveSide, id: string): { readonly check: () => void; readonly stop: () => Promise<void> } {
  let isLost = false;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const keeper = { id, milliseconds: leaseMilliseconds };
    // A renewal that fails is tried again; whether one came too late is what the database says.
    const isOpen = await inTransaction(source, ({ db }) => extendWindow(db, keeper, "leaving")).catch(() => true);
    if (!isOpen) isLost = true;
  };
  const timer = setInterval(() => {
    renewing ??= renew().finally(() => (renewing = undefined));
  }, renewMilliseconds);
  return {
    check: () => {
      if (isLost) throw lostWindow(source);
    },
    stop: async () => {
      clearInterval(timer);
      await renewing;
    },
  };
}

function lostWindow({ place }: MoveSide): StartError {
  return new StartError(
    `The promotion was held up for more than ${leaseMilliseconds / 1000} seconds, so ${place} took writes meanwhile: run it again, it goes on where it was.`,
  );
}

/** For good, if the window was open without a gap. */
export async function leave(source: MoveSide, id: string): Promise<void> {
  const isOpen = await inTransaction(source, ({ db }) => extendWindow(db, { id, milliseconds: forever }, "left"));
  if (!isOpen) throw lostWindow(source);
}

/** The source takes writes again; the row stays, so that the next call knows its half-filled target again. */
async function goOn(source: MoveSide, id: string, state: MoveState): Promise<void> {
  await inTransaction(source, async ({ db }) => {
    const { numUpdatedRows } = await db
      .updateTable("moves")
      .set({ state, read_only_until: 0 })
      .where("id", "=", id)
      .where("state", "=", "leaving")
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) await unguardTables(db, await source.tableNames());
  });
}
