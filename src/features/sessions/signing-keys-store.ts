import type { Insertable, Selectable } from "kysely";
import type { Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

export type SigningKeyRow = Selectable<Tables["signing_keys"]>;

/** Oldest first. */
export async function findSigningKeys({ db }: Pick<Platform, "db">): Promise<SigningKeyRow[]> {
  return db.selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("id").execute();
}

export async function insertSigningKey(
  { db }: Pick<Platform, "db">,
  key: Insertable<Tables["signing_keys"]>,
): Promise<void> {
  await db.insertInto("signing_keys").values(key).execute();
}
