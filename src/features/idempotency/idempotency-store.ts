import type { Insertable, Selectable } from "kysely";
import type { Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export async function findAnswer(
  { db }: Db,
  id: string,
  madeAfter: number,
): Promise<Selectable<Tables["idempotent_answers"]> | undefined> {
  return db
    .selectFrom("idempotent_answers")
    .selectAll()
    .where("id", "=", id)
    .where("created_at", ">", madeAfter)
    .executeTakeFirst();
}

/** Keeps an answer; one that is kept too long already gives way. */
export async function insertAnswer(
  { db }: Db,
  answer: Insertable<Tables["idempotent_answers"]>,
  madeBefore: number,
): Promise<void> {
  await db.deleteFrom("idempotent_answers").where("id", "=", answer.id).where("created_at", "<=", madeBefore).execute();
  await db.insertInto("idempotent_answers").values(answer).execute();
}

/** Deletes at most `count` answers that are old. Returns how many. */
export async function deleteOldAnswers({ db }: Db, madeBefore: number, count: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("idempotent_answers")
    .where("id", "in", (query) =>
      query.selectFrom("idempotent_answers").select("id").where("created_at", "<=", madeBefore).limit(count),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
