import type { Kysely } from "kysely";
import type { Config } from "../config.ts";
import { hashNewPassword, newRandomPassword } from "../features/passwords/passwords.ts";
import { openSessions } from "../features/sessions/sessions.ts";
import { enterNewAccount, logIn } from "../features/sign-in/sign-in.ts";
import type { Tables } from "../platform/database/tables.ts";
import { inTransaction } from "../platform/database/transaction.ts";
import { createPlatform, type Platform } from "../platform/platform.ts";
import { StartError } from "../platform/start-error.ts";

const origin = { requestId: "promotion-probe", address: "127.0.0.1", userAgent: "tollgate promote" };

/**
 * Uses a database as the server would, by the server's own code: opens its signing keys with SECRET_KEY, makes an
 * account, signs it in with its password, refreshes, and asks who the token speaks for. Then all of it goes again: what
 * is left is compared with the source afterwards, so a trace would be seen.
 *
 * Throws StartError when the database would not serve.
 */
export async function probeCopy(config: Config, db: Kysely<Tables>): Promise<void> {
  // Alone with the database: no mail goes out, nothing is counted elsewhere.
  const alone = { ...config, redis: undefined, logLevel: "silent" } as const;
  const platform = await createPlatform(alone, { db, mailer: undefined });
  try {
    await refuseNoKey(platform);
    await signInAndOut(platform);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`The copy does not serve (${why}): the promotion is called off.`, { cause: error });
  } finally {
    await platform.passwordHasher.close();
  }
}

/** A copy with its keys is what is tried: one that is made for the trial would tell nothing. */
async function refuseNoKey({ config, db }: Platform): Promise<void> {
  const { tokenAlgorithm: algorithm } = config;
  if (algorithm === "HS256") return;
  const key = await db.selectFrom("signing_keys").select("id").where("algorithm", "=", algorithm).executeTakeFirst();
  if (key === undefined)
    throw new StartError(`There is no ${algorithm} key: start the server once on the file before.`);
}

async function signInAndOut(platform: Platform): Promise<void> {
  const sessions = await openSessions(platform);
  const password = newRandomPassword(platform);
  const email = `probe-${platform.secrets.uuid()}@example.com`; // Nobody's (RFC 2606 §3).
  const passwordHash = await hashNewPassword(platform, password);
  const entrant = { email, passwordHash, role: "user", by: "lab", origin } as const;
  const { account } = await inTransaction(platform, (tx) => enterNewAccount(tx, sessions, entrant));
  try {
    const { refresh_token: token = "" } = await logIn(platform, sessions, { email, password }, origin);
    const { tokens } = await sessions.refresh({ token, idempotencyKey: undefined }, origin);
    const caller = await sessions.authenticate(tokens.token);
    if (!("account" in caller) || caller.account.id !== account.id) throw new Error("the token speaks for nobody");
  } finally {
    await forget(platform, account.id);
  }
}

/** Without the audit entries that a deletion leaves otherwise. */
async function forget(platform: Platform, accountId: number): Promise<void> {
  await inTransaction(platform, async ({ db }) => {
    await db.deleteFrom("account_words").where("account_id", "=", accountId).execute();
    await db.deleteFrom("events").where("account_id", "=", accountId).execute();
    await db.deleteFrom("accounts").where("id", "=", accountId).execute();
  });
}
