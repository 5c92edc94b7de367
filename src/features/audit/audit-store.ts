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
  { db }: Pick<Platform, "db">,
  { accountId, types }: EventFilter,
  { before, count }: { readonly before: number | undefined; readonly count: number },
): Promise<EventRow[]> {
  let query = db.selectFrom("events").selectAll().orderBy("id", "desc").limit(count);
  if (before !== undefined) query = query.where("id", "<", before);
  if (accountId !== undefined) query = query.where("account_id", "=", accountId);
  if (types !== undefined) query = query.where("type", "in", types);
  return query.execute();
}
