import type { Kysely, Selectable } from "kysely";
import { StartError } from "../start-error.ts";
import type { Tables } from "./tables.ts";

export type Move = Selectable<Tables["moves"]>;

/** The move that this database is in, or was; `undefined` for one that never moved. */
export async function findMove(db: Kysely<Tables>): Promise<Move | undefined> {
  return await db.selectFrom("moves").selectAll().executeTakeFirst();
}

/**
 * Throws StartError for a database that must not be worked with: the accounts are in another one by now, or not all of
 * them are here yet. Two databases that both take writes could never be one again.
 */
export async function refuseForsakenDatabase(db: Kysely<Tables>, place: string): Promise<void> {
  const move = await findMove(db);
  if (move?.state === "left") {
    throw new StartError(
      `The accounts of ${place} were moved to ${move.other}: set DATABASE_URL to that; docs/operate/moving-to-postgresql.md tells the way back.`,
    );
  }
  if (move?.state === "arriving") {
    throw new StartError(
      `${place} is being filled from ${move.other} and is not complete: run "tollgate promote" again until it says that it is done.`,
    );
  }
}
