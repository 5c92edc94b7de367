import { sql, type Insertable, type Selectable } from "kysely";
import type { MailState, MailStep, Tables } from "../../platform/database/tables.ts";
import type { Platform } from "../../platform/platform.ts";

type Db = Pick<Platform, "db">;

export type MailRow = Selectable<Tables["mails"]>;
export type MailStepRow = Selectable<Tables["mail_steps"]>;

export async function insertMail({ db }: Db, mail: Insertable<Tables["mails"]>): Promise<void> {
  await db.insertInto("mails").values(mail).execute();
}

export async function insertStep(
  { db }: Db,
  step: { readonly mailId: string; readonly at: number; readonly step: MailStep; readonly words?: string | undefined },
): Promise<void> {
  await db
    .insertInto("mail_steps")
    .values({ mail_id: step.mailId, at: step.at, step: step.step, words: step.words ?? null })
    .execute();
}

/** What waits in the outbox, or is being tried; of very many only so many are counted, those that are due first. */
export async function readOutbox(
  { db }: Db,
  countMax: number,
): Promise<{ readonly mails: number; readonly oldestAt: number | null }> {
  const { mails, oldest_at } = await db
    .selectFrom((query) =>
      query
        .selectFrom("mails")
        .select("created_at")
        .where("due_at", "is not", null)
        .orderBy("due_at")
        .limit(countMax)
        .as("waiting"),
    )
    .select(({ fn }) => [fn.countAll<number>().as("mails"), fn.min("created_at").as("oldest_at")])
    .executeTakeFirstOrThrow();
  return { mails: Number(mails), oldestAt: oldest_at };
}

/** Whether anything is due, but for some: asked before a claim, which writes. */
export async function isMailDue({ db }: Db, at: number, except: readonly string[]): Promise<boolean> {
  const due = await db
    .selectFrom("mails")
    .select("id")
    .where("due_at", "<=", at)
    .$if(except.length > 0, (query) => query.where("id", "not in", except))
    .limit(1)
    .executeTakeFirst();
  return due !== undefined;
}

/**
 * Takes some mails that are due, so that nobody else tries them before `until`. One statement, and it asks again for
 * what it found: of several processes each mail has one (PostgreSQL looks at a row again that another one had).
 */
export async function claimDueMails(
  { db }: Db,
  claim: {
    readonly at: number;
    readonly until: number;
    readonly claim: string;
    readonly count: number;
    readonly except: readonly string[];
  },
): Promise<MailRow[]> {
  return db
    .updateTable("mails")
    .set(({ eb }) => ({ state: "sending", due_at: claim.until, claim: claim.claim, tries: eb("tries", "+", 1) }))
    .where("id", "in", (query) =>
      query
        .selectFrom("mails")
        .select("id")
        .where("due_at", "<=", claim.at)
        .$if(claim.except.length > 0, (some) => some.where("id", "not in", claim.except))
        .orderBy("due_at")
        .limit(claim.count),
    )
    .where("due_at", "<=", claim.at)
    .returningAll()
    .execute();
}

/** Notes, before it happens, that a mail is handed over. `false` when another process has it by now. */
export async function markHandedOver({ db }: Db, { id, claim }: MailRow): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("mails")
    .set(({ eb }) => ({ handed_over: eb("handed_over", "+", 1) }))
    .where("id", "=", id)
    .where("claim", "=", claim)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** What became of a try. Without a next one the content goes. `false` when another process has the mail by now. */
export async function settleMail(
  { db }: Db,
  { id, claim }: MailRow,
  settled: { readonly state: MailState; readonly dueAt: number | null; readonly handedOver: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("mails")
    .set({
      state: settled.state,
      due_at: settled.dueAt,
      claim: null,
      handed_over: settled.handedOver,
      ...(settled.dueAt === null ? { content_encrypted: null } : {}),
    })
    .where("id", "=", id)
    .where("claim", "=", claim)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** How many mails of a kind an account was sent after a moment. */
export async function countMails({ db }: Db, accountId: number, kind: string, after: number): Promise<number> {
  const { count } = await db
    .selectFrom("mails")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("account_id", "=", accountId)
    .where("created_at", ">", after)
    .where("kind", "=", kind)
    .where("state", "!=", "withheld")
    .executeTakeFirstOrThrow();
  return Number(count);
}

export type MailFilter = {
  readonly accountId: number | undefined;
  /** A part of the recipient's address. */
  readonly text: string | undefined;
  readonly state: MailState | undefined;
};

/** At most `count` mails before one, the newest first. */
export async function listMailsBefore(
  { db }: Db,
  { accountId, text, state }: MailFilter,
  {
    before,
    count,
  }: { readonly before: { readonly at: number; readonly id: string } | undefined; readonly count: number },
): Promise<MailRow[]> {
  let query = db.selectFrom("mails").selectAll().orderBy("created_at", "desc").orderBy("id", "desc").limit(count);
  if (before !== undefined) {
    query = query.where(({ eb, or, and }) =>
      or([eb("created_at", "<", before.at), and([eb("created_at", "=", before.at), eb("id", "<", before.id)])]),
    );
  }
  if (accountId !== undefined) query = query.where("account_id", "=", accountId);
  if (state !== undefined) query = query.where("state", "=", state);
  if (text !== undefined) {
    // The text is a text: its % and _ stand for themselves.
    const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where(sql<boolean>`lower(${sql.ref("recipient")}) like ${pattern} escape '\\'`);
  }
  return query.execute();
}

/** The steps of some mails, each mail's in their order. */
export async function listSteps({ db }: Db, mailIds: readonly string[]): Promise<MailStepRow[]> {
  if (mailIds.length === 0) return [];
  return db.selectFrom("mail_steps").selectAll().where("mail_id", "in", mailIds).orderBy("id").execute();
}

export async function listTokens(
  { db }: Db,
  mailIds: readonly string[],
): Promise<Pick<Selectable<Tables["mail_tokens"]>, "mail_id" | "expires_at" | "used_at">[]> {
  if (mailIds.length === 0) return [];
  return db
    .selectFrom("mail_tokens")
    .select(["mail_id", "expires_at", "used_at"])
    .where("mail_id", "in", mailIds)
    .execute();
}

export async function findMail({ db }: Db, id: string): Promise<MailRow | undefined> {
  return db.selectFrom("mails").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function countSteps({ db }: Db, mailId: string): Promise<number> {
  const { count } = await db
    .selectFrom("mail_steps")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("mail_id", "=", mailId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Deletes at most `count` mails with their steps and tokens: the old ones, and the sooner those that went to nobody. */
export async function deleteOldMails(
  { db }: Db,
  old: { readonly before: number; readonly nobodysBefore: number; readonly count: number },
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("mails")
    .where("id", "in", (query) =>
      query
        .selectFrom("mails")
        .select("id")
        .where(({ or, and, eb }) =>
          or([
            eb("created_at", "<", old.before),
            and([eb("created_at", "<", old.nobodysBefore), eb("account_id", "is", null)]),
          ]),
        )
        .limit(old.count),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Keeps every mail that waits from being sent, and says why in its timeline. Returns how many. */
export async function withholdWaitingMails({ db }: Db, at: number, why: string): Promise<number> {
  await db
    .insertInto("mail_steps")
    .columns(["mail_id", "at", "step", "words"])
    .expression((query) =>
      query
        .selectFrom("mails")
        .select([
          "id",
          sql<number>`cast(${at} as bigint)`.as("at"),
          sql<"withheld">`'withheld'`.as("step"),
          sql<string>`cast(${why} as text)`.as("words"),
        ])
        .where("due_at", "is not", null),
    )
    .execute();
  const { numUpdatedRows } = await db
    .updateTable("mails")
    .set({ state: "withheld", due_at: null, claim: null, content_encrypted: null })
    .where("due_at", "is not", null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
