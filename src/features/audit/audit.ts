import type { Events, EventType } from "../../contract/events.ts";
import { prepareQuery } from "../../platform/database/prepared-query.ts";
import type { Platform } from "../../platform/platform.ts";

export type SecurityEvent<T extends EventType = EventType> = {
  readonly type: T;
  readonly payload: Events[T];
  /** Who did it; left out for the command line. */
  readonly actorId?: number;
  /** To whom. */
  readonly accountId?: number;
  readonly requestId?: string;
  readonly address?: string;
};

const insertion = prepareQuery(
  (
    db,
    at: number,
    type: string,
    actorId: number | null,
    accountId: number | null,
    requestId: string | null,
    address: string | null,
    payload: string,
  ) =>
    db.insertInto("events").values({
      at,
      type,
      actor_id: actorId,
      account_id: accountId,
      request_id: requestId,
      address,
      payload,
    }),
);

/** Writes an event of the audit log. Call it in the transaction of the change that it records: both are kept or none. */
export async function recordEvent<T extends EventType>(
  tx: Pick<Platform, "db" | "clock">,
  event: SecurityEvent<T>,
): Promise<void> {
  await insertion(
    tx.db,
    tx.clock.now(),
    event.type,
    event.actorId ?? null,
    event.accountId ?? null,
    event.requestId ?? null,
    event.address ?? null,
    JSON.stringify(event.payload),
  );
}

/** When somebody last signed in to this account, in milliseconds since the epoch; as far back as the log goes. */
export async function findLastSignIn({ db }: Pick<Platform, "db">, accountId: number): Promise<number | undefined> {
  const signIn = await db
    .selectFrom("events")
    .select("at")
    .where("account_id", "=", accountId)
    .where("type", "=", "session/started" satisfies EventType)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return signIn?.at;
}
