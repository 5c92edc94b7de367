import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { enterNewAccount } from "../../src/features/sign-in/sign-in.ts";
import { openSessions } from "../../src/features/sessions/sessions.ts";
import { inTransaction } from "../../src/platform/database/transaction.ts";
import { closePlatform, createPlatform, type Platform } from "../../src/platform/platform.ts";
import { benchSettings } from "./servers.ts";

/** Of one session of each account. */
export type Tokens = { readonly accessTokens: readonly string[]; readonly refreshTokens: readonly string[] };

export type Seeded = Tokens & {
  readonly databaseUrl: string;
  readonly remove: () => void;
};

export const password = "correct horse battery";

const perTransaction = 1_000;

export function emailOf(index: number): string {
  return `user${index}@example.com`;
}

/** A SQLite database with so many accounts, made by the server's own functions. All have the same password. */
export async function seed(accounts: number, onDone: (accounts: number) => void): Promise<Seeded> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const databaseUrl = `sqlite:${directory}/tollgate.db`;
  const tokens = await seedInto(databaseUrl, accounts, onDone);
  return { databaseUrl, ...tokens, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The same in a database that is there, empty. */
export async function seedInto(
  databaseUrl: string,
  accounts: number,
  onDone: (accounts: number) => void,
): Promise<Tokens> {
  const read = readConfig(benchSettings(databaseUrl));
  if (!read.ok) throw new Error(read.faults.join("\n"));
  const platform = await createPlatform(read.config);
  try {
    return await enterAll(platform, accounts, onDone);
  } finally {
    await closePlatform(platform);
  }
}

async function enterAll(platform: Platform, accounts: number, onDone: (accounts: number) => void): Promise<Tokens> {
  const sessions = await openSessions(platform);
  const passwordHash = await platform.passwordHasher.hash(password);
  const entrant = { passwordHash, role: "user", by: "sign-up" } as const;
  const origin = { requestId: "seed", address: "192.0.2.10", userAgent: null };
  const [accessTokens, refreshTokens]: [string[], string[]] = [[], []];
  for (let made = 0; made < accounts; made += perTransaction) {
    const indexes = Array.from({ length: Math.min(perTransaction, accounts - made) }, (_, index) => made + index);
    await inTransaction(platform, async (tx) => {
      for (const index of indexes) {
        const { tokens } = await enterNewAccount(tx, sessions, { ...entrant, email: emailOf(index), origin });
        accessTokens.push(tokens.token);
        if (tokens.refresh_token !== undefined) refreshTokens.push(tokens.refresh_token);
      }
    });
    onDone(accessTokens.length);
  }
  return { accessTokens, refreshTokens };
}
