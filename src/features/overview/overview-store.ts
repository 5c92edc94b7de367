import type { Platform } from "../../platform/platform.ts";

export type Totals = {
  readonly users: number;
  readonly disabled: number;
  readonly administrators: number;
  readonly livingSessions: number;
};

export async function countTotals({ db, clock, config }: Pick<Platform, "db" | "clock" | "config">): Promise<Totals> {
  const now = clock.now();
  const segments = await db
    .selectFrom("accounts")
    .select((query) => ["role", "disabled", query.fn.countAll().as("count")])
    .groupBy(["role", "disabled"])
    .execute();
  const living = await db
    .selectFrom("sessions")
    .select((query) => query.fn.countAll().as("count"))
    .where("ended_at", "is", null)
    .where("expires_at", ">", now)
    .where("last_used_at", ">", now - config.sessionIdleLifetimeSeconds * 1000)
    .executeTakeFirstOrThrow();
  const count = (isMeant: (segment: (typeof segments)[number]) => boolean): number =>
    segments.filter(isMeant).reduce((sum, segment) => sum + Number(segment.count), 0);
  return {
    users: count(() => true),
    disabled: count(({ disabled }) => disabled === 1),
    administrators: count(({ role, disabled }) => role === "admin" && disabled === 0),
    livingSessions: Number(living.count),
  };
}
