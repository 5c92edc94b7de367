/** Sign-ups without pause at a server whose disk is about to be lost, and the look for them afterwards. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type OwnServer, startOwnServer } from "./own-server.ts";

const clients = 8;
const file = "tollgate.db";

export const startServerOn = (directory: string): Promise<OwnServer> =>
  startOwnServer({
    DATABASE_URL: `sqlite:${join(directory, file)}`,
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
  });

/** Disposing it ends them; what was under way is still answered. */
export type SignUps = AsyncDisposable & {
  /** The addresses whose sign-up was answered 201, so far. */
  readonly acknowledged: readonly string[];
  /** How many were answered something else, or nothing. */
  readonly refusals: () => number;
};

/** Eight clients that sign up one account after the other. The name is for addresses that nobody else has. */
export function keepSigningUp(url: string, name: string): SignUps {
  const acknowledged: string[] = [];
  let refusals = 0;
  let isOver = false;
  const signingUp = Array.from({ length: clients }, async (_, client) => {
    for (let count = 0; !isOver; count += 1) {
      const email = `${name}c${client}n${count}@example.com`;
      if (await signUp(url, email)) acknowledged.push(email);
      else refusals += 1;
    }
  });
  return {
    acknowledged,
    refusals: () => refusals,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await Promise.all(signingUp);
    },
  };
}

async function signUp(url: string, email: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/users/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password: "correct horse battery" }),
    });
    await response.arrayBuffer();
    return response.status === 201;
  } catch {
    return false;
  }
}

export type Found = {
  readonly missing: readonly string[];
  /** What SQLite says of the database: "ok", or what is wrong. */
  readonly integrity: string;
};

/**
 * Looks for the account and the session of each sign-up in the database itself. It is opened as a server opens it:
 * reading alone could not undo what a cut left half done.
 */
export function lookFor(emails: readonly string[], directory: string): Found {
  const database = new DatabaseSync(join(directory, file));
  try {
    const find = database.prepare(
      "select 1 from accounts join sessions on sessions.account_id = accounts.id where accounts.email_canonical = ?",
    );
    const missing = emails.filter((email) => find.get(email) === undefined);
    return { missing, integrity: String(database.prepare("pragma integrity_check").get()?.["integrity_check"]) };
  } catch (error) {
    return { missing: emails, integrity: (error as Error).message };
  } finally {
    database.close();
  }
}

/** What all looks found together. */
export function createTally() {
  const missing = new Set<string>();
  const faults = new Set<string>();
  return {
    add: (found: Found): void => {
      for (const email of found.missing) missing.add(email);
      if (found.integrity !== "ok") faults.add(found.integrity);
    },
    missing: (): number => missing.size,
    integrity: (): string => [...faults].join("; ") || "ok",
    isClean: (): boolean => missing.size === 0 && faults.size === 0,
  };
}
