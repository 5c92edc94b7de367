import type { Selectable } from "kysely";
import type { EventType } from "../../contract/events.ts";
import type { Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

export type EventRow = Selectable<Tables["events"]>;

export type EventFilter = {
  readonly accountId?: number | undefined;
  readonly types?: readonly EventType[] | undefined;
};

/** At most `count` events before an id, the newest first. */
export async function listEventsBefore(
  db: Pick<Platform, "db">,
  { accountId, types }: EventFilter,
  range: { readonly before: number | undefined; readonly count: number },
): Promise<EventRow[]> {
  if (types === undefined) return listOfType(db, accountId, undefined, range);
  // One after the other, each along an index: together, the database would sort all that there is of these types.
  const found: EventRow[] = [];
  for (const type of types) found.push(...(await listOfType(db, accountId, type, range)));
  return found.toSorted((one, other) => other.id - one.id).slice(0, range.count);
}

async function listOfType(
  { db }: Pick<Platform, "db">,
  accountId: number | undefined,
  type: EventType | undefined,
  { before, count }: { readonly before: number | undefined; readonly count: number },
): Promise<EventRow[]> {
  let query = db.selectFrom("events").selectAll().orderBy("id", "desc").limit(count);
  if (before !== undefined) query = query.where("id", "<", before);
  if (accountId !== undefined) query = query.where("account_id", "=", accountId);
  if (type !== undefined) query = query.where("type", "=", type);
  return query.execute();
}
