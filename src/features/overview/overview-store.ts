import { sql } from "kysely";
import { roles } from "../../contract/permissions.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Counts } from "./activity.ts";

type Db = Pick<Platform, "db">;

/** How long the times are for which is counted. Minutes are kept for two hours, quarters for two days. */
export const resolutions = [
  { minutes: 1, keptMilliseconds: 2 * 3_600_000 },
  { minutes: 15, keptMilliseconds: 2 * 86_400_000 },
] as const;
export type Minutes = (typeof resolutions)[number]["minutes"];

export const minuteMilliseconds = 60_000;

/** Adds to what this and other processes have written of the same times. One statement: all of it or nothing. */
export async function addActivity({ db }: Db, countsByMinute: ReadonlyMap<number, Counts>): Promise<void> {
  const sums = new Map<string, { minutes: Minutes; starts_at: number; name: string; count: number }>();
  for (const [minute, counts] of countsByMinute) {
    for (const { minutes } of resolutions) {
      const startsAt = Math.floor(minute / minutes) * minutes * minuteMilliseconds;
      for (const [name, count] of counts) {
        const key = `${minutes} ${startsAt} ${name}`;
        const sum = sums.get(key)?.count ?? 0;
        sums.set(key, { minutes, starts_at: startsAt, name, count: sum + count });
      }
    }
  }
  if (sums.size === 0) return;
  await db
    .insertInto("activity")
    .values([...sums.values()])
    .onConflict((conflict) =>
      conflict
        .columns(["minutes", "starts_at", "name"])
        .doUpdateSet({ count: sql<number>`activity.count + excluded.count` }),
    )
    .execute();
}

/** How often things happened since a moment, by the time in which they did. */
export async function readActivity({ db }: Db, minutes: Minutes, since: number): Promise<ReadonlyMap<number, Counts>> {
  const rows = await db
    .selectFrom("activity")
    .select(["starts_at", "name", "count"])
    .where("minutes", "=", minutes)
    .where("starts_at", ">=", since)
    .execute();
  const byTime = new Map<number, Map<string, number>>();
  for (const { starts_at: startsAt, name, count } of rows) {
    const counts = byTime.get(startsAt) ?? new Map<string, number>();
    byTime.set(startsAt, counts.set(name, count));
  }
  return byTime;
}

const timesPerStep = 20;

/** Forgets what is older than it is kept for, some at a time: the oldest first. */
export async function forgetOldActivity({ db, clock }: Pick<Platform, "db" | "clock">): Promise<void> {
  for (const { minutes, keptMilliseconds } of resolutions) {
    const { oldest } = await db
      .selectFrom("activity")
      .select((query) => query.fn.min("starts_at").as("oldest"))
      .where("minutes", "=", minutes)
      .executeTakeFirstOrThrow();
    const keptFrom = clock.now() - keptMilliseconds;
    if (oldest === null || oldest >= keptFrom) continue;
    const before = Math.min(keptFrom, oldest + timesPerStep * minutes * minuteMilliseconds);
    await db.deleteFrom("activity").where("minutes", "=", minutes).where("starts_at", "<", before).execute();
  }
}

export type Totals = {
  readonly users: number;
  readonly disabled: number;
  /** Those who are not disabled. */
  readonly administrators: number;
  readonly livingSessions: number;
};

/** So many are counted by one statement: a few milliseconds at most, in which nobody else has the database. */
const countedAtOnce = 10_000;

/** Counts along indexes, and in steps. Of a million it takes a tenth of a second altogether: see totals.ts. */
export async function countTotals(platform: Pick<Platform, "db" | "clock" | "config">): Promise<Totals> {
  const totals = { users: 0, disabled: 0, administrators: 0 };
  for (const role of roles) {
    for (const disabled of [0, 1] as const) {
      const count = await countAccounts(platform, role, disabled);
      totals.users += count;
      if (disabled === 1) totals.disabled += count;
      else if (role === "admin") totals.administrators += count;
    }
  }
  return { ...totals, livingSessions: await countLivingSessions(platform) };
}

async function countAccounts({ db }: Db, role: (typeof roles)[number], disabled: 0 | 1): Promise<number> {
  let [sum, after] = [0, 0];
  for (;;) {
    const ofKind = db.selectFrom("accounts").select("id").where("role", "=", role).where("disabled", "=", disabled);
    const next = ofKind.where("id", ">", after).orderBy("id").limit(countedAtOnce).as("next");
    const { count, last } = await db
      .selectFrom(next)
      .select(({ fn }) => [fn.countAll().as("count"), fn.max("next.id").as("last")])
      .executeTakeFirstOrThrow();
    sum += Number(count);
    if (last === null || Number(count) < countedAtOnce) return sum;
    after = last;
  }
}

async function countLivingSessions({ db, clock, config }: Pick<Platform, "db" | "clock" | "config">): Promise<number> {
  const now = clock.now();
  const usedAfter = now - config.sessionIdleLifetimeSeconds * 1000;
  let [sum, after] = [0, 0];
  for (;;) {
    const notEnded = db.selectFrom("sessions").where("ended_at", "is", null).where("account_id", ">", after);
    const next = notEnded.select("account_id").orderBy("account_id").limit(countedAtOnce).as("next");
    const { last } = await db
      .selectFrom(next)
      .select(({ fn }) => fn.max("next.account_id").as("last"))
      .executeTakeFirstOrThrow();
    if (last === null) return sum;
    const { count } = await notEnded
      .select(({ fn }) => fn.countAll().as("count"))
      .where("account_id", "<=", last)
      .where("last_used_at", ">", usedAfter)
      .where("expires_at", ">", now)
      .executeTakeFirstOrThrow();
    sum += Number(count);
    after = last;
  }
}
