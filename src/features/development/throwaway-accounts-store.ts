import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export async function insertThrowaway({ db }: Db, accountId: number, createdAt: number): Promise<void> {
  await db.insertInto("throwaway_accounts").values({ account_id: accountId, created_at: createdAt }).execute();
}

/** The numbers of all, the newest first. */
export async function listThrowaways({ db }: Db): Promise<number[]> {
  const rows = await db.selectFrom("throwaway_accounts").select("account_id").orderBy("account_id", "desc").execute();
  return rows.map((row) => row.account_id);
}

/** Those made before a moment. */
export async function listThrowawaysBefore({ db }: Db, before: number): Promise<number[]> {
  const rows = await db
    .selectFrom("throwaway_accounts")
    .select("account_id")
    .where("created_at", "<", before)
    .execute();
  return rows.map((row) => row.account_id);
}
