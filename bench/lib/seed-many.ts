import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { openSessions } from "../../src/features/sessions/sessions.ts";
import { enterNewAccount } from "../../src/features/sign-in/sign-in.ts";
import { accountWords } from "../../src/platform/database/account-words.ts";
import { inTransaction } from "../../src/platform/database/transaction.ts";
import { closePlatform, createPlatform } from "../../src/platform/platform.ts";
import { emailOf, password } from "./seed.ts";
import { benchSettings } from "./servers.ts";

export type SeededMany = {
  readonly databaseUrl: string;
  /** Of accounts that are spread evenly over all; the first one administers. */
  readonly accessTokens: readonly string[];
  readonly emails: readonly string[];
  readonly remove: () => void;
};

/**
 * A SQLite database with very many accounts. `entering` of them, spread evenly, enter by the server's own functions and
 * have tokens. Between them are copies of all their rows, with keys of their own and without tokens: a signature for
 * each of a million would take longer than all the rest.
 */
export async function seedMany(
  accounts: number,
  entering: number,
  onDone: (accounts: number) => void,
): Promise<SeededMany> {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const path = `${directory}/tollgate.db`;
  const copies = accounts / entering - 1;
  const emails = Array.from({ length: entering }, (_, index) => emailOf(index * (copies + 1)));
  const accessTokens = await enterWithGaps(path, emails, copies);
  fillGaps(path, { entering, copies }, onDone);
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  return { databaseUrl: `sqlite:${path}`, accessTokens, emails, remove };
}

/** Leaves room for so many numbers behind each. */
async function enterWithGaps(path: string, emails: readonly string[], gap: number): Promise<readonly string[]> {
  const read = readConfig(benchSettings(`sqlite:${path}`));
  if (!read.ok) throw new Error(read.faults.join("\n"));
  const platform = await createPlatform(read.config);
  const raw = new DatabaseSync(path);
  try {
    const sessions = await openSessions(platform);
    const passwordHash = await platform.passwordHasher.hash(password);
    const entrant = { passwordHash, role: "user", by: "sign-up" } as const;
    const origin = { requestId: "seed", address: "192.0.2.10", userAgent: null };
    const accessTokens: string[] = [];
    for (const email of emails) {
      const enter = inTransaction(platform, (tx) => enterNewAccount(tx, sessions, { ...entrant, email, origin }));
      accessTokens.push((await enter).tokens.token);
      raw.exec(`update sqlite_sequence set seq = seq + ${gap} where name = 'accounts'`);
    }
    return accessTokens;
  } finally {
    await closePlatform(platform);
    raw.close();
  }
}

const gapsPerTransaction = 20;

function fillGaps(
  path: string,
  { entering, copies }: { readonly entering: number; readonly copies: number },
  onDone: (accounts: number) => void,
): void {
  const db = new DatabaseSync(path);
  // Nobody waits for the disk: should the machine fail, the benchmark has failed as well.
  db.exec("pragma synchronous = off; pragma cache_size = -400000; pragma temp_store = memory");
  const copy = prepareCopy(db, copies);
  for (let gap = 0; gap < entering; gap += 1) {
    if (gap % gapsPerTransaction === 0) db.exec(gap === 0 ? "begin" : "commit; begin");
    copy(1 + gap * (copies + 1));
    onDone((gap + 1) * (copies + 1));
  }
  // In their order: a large index that is filled in its own order is filled in seconds.
  db.exec("insert into sessions select * from new_sessions order by id");
  db.exec("insert into account_words select word, account_id from new_words order by word, account_id");
  db.exec("update accounts set role = 'admin' where id = 1; commit; pragma wal_checkpoint(truncate)");
  db.close();
}

/** Copies an account with all its rows to the numbers behind it. */
function prepareCopy(db: DatabaseSync, copies: number): (from: number) => void {
  db.exec("create temp table new_ids (id integer primary key)");
  db.exec("create temp table new_sessions as select * from sessions limit 0");
  db.exec("create temp table new_words (word, account_id)");
  db.function("email_of", (id) => emailOf(Number(id) - 1));
  db.function("new_session_id", () => randomBytes(16).toString("base64url"));
  const fillIds = db.prepare(`insert into new_ids
    with recursive ids (id) as (select ? + 1 union all select id + 1 from ids limit ${copies}) select id from ids`);
  const email = "email_of(new_ids.id)";
  const inserts = [
    insertCopies(db, "accounts", "accounts", { id: "new_ids.id", email, email_canonical: email }, "it.id = ?"),
    insertCopies(db, "new_sessions", "sessions", { id: "new_session_id()", account_id: "new_ids.id" }),
    insertCopies(db, "events", "events", {
      id: "null",
      account_id: "new_ids.id",
      actor_id: "iif(it.actor_id is null, null, new_ids.id)",
      payload: `replace(it.payload, (select id from sessions where account_id = it.account_id),
        (select id from new_sessions where rowid = (select max(rowid) from new_sessions) - ${copies} + new_ids.id - it.account_id))`,
    }),
  ];
  const insertWord = db.prepare("insert into new_words values (?, ?)");
  return (from) => {
    if (copies === 0) return;
    db.exec("delete from new_ids");
    fillIds.run(from);
    for (const insert of inserts) insert.run(from);
    for (let id = from + 1; id <= from + copies; id += 1) {
      for (const word of accountWords({ email: emailOf(id - 1), display_name: null })) insertWord.run(word, id);
    }
  };
}

function insertCopies(
  db: DatabaseSync,
  into: string,
  table: string,
  changed: Readonly<Record<string, string>>,
  which = "it.account_id = ?",
) {
  const columns = db
    .prepare(`pragma table_info(${table})`)
    .all()
    .map(({ name }) => String(name));
  const values = columns.map((column) => changed[column] ?? `it.${column}`);
  return db.prepare(`insert into ${into} (${columns.join()})
    select ${values.join()} from new_ids cross join ${table} it where ${which} order by new_ids.id`);
}
