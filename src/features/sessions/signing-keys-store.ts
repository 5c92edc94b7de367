import { type Insertable, type Selectable, sql } from "kysely";
import type { Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export type SigningKeyRow = Selectable<Tables["signing_keys"]>;

/** Oldest first. */
export async function findSigningKeys({ db }: Db): Promise<SigningKeyRow[]> {
  return db.selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("signs_at").orderBy("id").execute();
}

export async function insertSigningKey({ db }: Db, key: Insertable<Tables["signing_keys"]>): Promise<void> {
  await db.insertInto("signing_keys").values(key).execute();
}

/** Says when the keys of this algorithm that have no end yet are refused, but for one. */
export async function setRetirement(
  { db }: Db,
  algorithm: SigningKeyRow["algorithm"],
  end: { readonly retiresAt: number; readonly exceptId: string },
): Promise<void> {
  await db
    .updateTable("signing_keys")
    .set({ retires_at: end.retiresAt })
    .where("algorithm", "=", algorithm)
    .where("id", "!=", end.exceptId)
    .where("retires_at", "is", null)
    .execute();
}

export type KeyUse = {
  readonly keyId: string;
  readonly hour: number;
  readonly tokensSeen: number;
  readonly lastSeenAt: number;
};

/** Adds to what other processes have counted in the same hour. */
export async function addKeyUse({ db }: Db, { keyId, hour, tokensSeen, lastSeenAt }: KeyUse): Promise<void> {
  await db
    .insertInto("key_usage")
    .values({ key_id: keyId, hour, tokens_seen: tokensSeen, last_seen_at: lastSeenAt })
    .onConflict((conflict) =>
      conflict.columns(["key_id", "hour"]).doUpdateSet({
        tokens_seen: sql`key_usage.tokens_seen + excluded.tokens_seen`,
        // The larger of the two: SQLite calls it max(a, b), PostgreSQL greatest(a, b).
        last_seen_at: sql`case when excluded.last_seen_at > key_usage.last_seen_at then excluded.last_seen_at else key_usage.last_seen_at end`,
      }),
    )
    .execute();
}

export async function findKeyUse({ db }: Db, sinceHour: number): Promise<Selectable<Tables["key_usage"]>[]> {
  return db.selectFrom("key_usage").selectAll().where("hour", ">=", sinceHour).execute();
}

export async function deleteKeyUseBefore({ db }: Db, hour: number): Promise<void> {
  await db.deleteFrom("key_usage").where("hour", "<", hour).execute();
}
