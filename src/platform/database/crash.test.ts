/**
 * kill -9 in a migration, at a start of two at once, and between writes. The children are this file itself,
 * called with a task: `node crash.test.ts TASK PATH [NUMBER]`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "./database.ts";
import { allMigrations } from "./migrate.ts";

const clock = { now: () => 1 };
const killPointsAtOnce = 2;

const tasks: Readonly<Record<string, (path: string, number: number) => Promise<void>>> = {
  /** Kills itself before the statement of that number. */
  migrate: async (path, statementNumber) => {
    const prepare = DatabaseSync.prototype.prepare;
    let statements = 0;
    DatabaseSync.prototype.prepare = function (text, options) {
      statements += 1;
      if (statements === statementNumber) process.kill(process.pid, "SIGKILL");
      return prepare.call(this, text, options);
    };
    await (await openDatabase({ kind: "sqlite", path }, clock)).destroy();
  },
  /** Says the number of each row once it is committed, until somebody ends it. */
  write: async (path) => {
    const db = await openDatabase({ kind: "sqlite", path }, clock);
    for (;;) {
      const { insertId } = await db
        .insertInto("events")
        .values({ at: 1, type: "t", payload: "{}" })
        .executeTakeFirstOrThrow();
      // Not before it is out of this process: it would wait here while the reader is slow, and be lost with us.
      await new Promise<unknown>((written) => process.stdout.write(`${insertId}\n`, written));
    }
  },
};

async function runTask(
  task: string,
  path: string,
  number = 0,
): Promise<{ signal: string | null; code: number | null }> {
  const child = spawn(process.execPath, [import.meta.filename, task, path, String(number)], { stdio: "inherit" });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return { code, signal };
}

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-crash-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function assertWhole(path: string): Promise<void> {
  await using db = await openDatabase({ kind: "sqlite", path }, clock);
  const ran = await db.selectFrom("migrations").select("name").execute();
  assert.deepEqual(
    ran.map((row) => row.name),
    allMigrations.map(({ name }) => name),
  );
  const tables = await db.introspection.getTables();
  assert.deepEqual(
    tables.map((table) => table.name),
    [
      "account_words",
      "accounts",
      "activity",
      "events",
      "idempotent_answers",
      "key_usage",
      "mail_steps",
      "mail_tokens",
      "mails",
      "migrations",
      "moves",
      "sessions",
      "signing_keys",
      "throwaway_accounts",
    ],
  );
  const raw = new DatabaseSync(path);
  assert.equal(raw.prepare("pragma integrity_check").get()?.["integrity_check"], "ok");
  const indexes = raw.prepare("select name from sqlite_schema where type = 'index' and sql is not null").all();
  assert.equal(indexes.length, 20);
  raw.close();
}

/** true if the migration was killed, false if it has fewer statements than that. */
async function killMigrationAt(directory: string, statementNumber: number): Promise<boolean> {
  const path = join(directory, `${statementNumber}.db`);
  const { signal, code } = await runTask("migrate", path, statementNumber);
  if (signal === null) assert.equal(code, 0);
  assert.equal(existsSync(path), true);
  await assertWhole(path);
  return signal === "SIGKILL";
}

// The children take a task; the test runner gives none.
const [task = "", path = "", number = ""] = process.argv.slice(2);
const childTask = tasks[task];
if (childTask !== undefined) {
  await childTask(path, Number(number));
} else {
  // X23
  test("a migration killed before any of its statements is completed by the next start", async (t) => {
    const directory = makeDirectory(t);
    let killed = 0;
    for (let first = 1; first < 100; first += killPointsAtOnce) {
      const points = Array.from({ length: killPointsAtOnce }, (_, offset) => first + offset);
      const outcomes = await Promise.all(points.map((point) => killMigrationAt(directory, point)));
      killed += outcomes.filter((wasKilled) => wasKilled).length;
      if (outcomes.includes(false)) break;
    }
    assert.ok(killed >= 12 && killed < 80, `${killed} statements`);
  });

  // X23
  test("processes that start together migrate once", async (t) => {
    const path = join(makeDirectory(t), "new", "tollgate.db");
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => runTask("migrate", path)));
    assert.deepEqual(outcomes, Array(4).fill({ code: 0, signal: null }));
    await assertWhole(path);
  });

  // X1
  test("no acknowledged write is lost to kill -9, in 10 rounds on one database", async (t) => {
    const path = join(makeDirectory(t), "tollgate.db");
    let acknowledged = 0;
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, [import.meta.filename, "write", path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
      const closed = once(child, "close");
      await once(child.stdout, "data");
      await sleep(Math.random() * 60); // The moment is meant to be random, in a write or between two.
      child.kill("SIGKILL");
      await closed;
      const whole = output.slice(0, output.lastIndexOf("\n")).split("\n").map(Number);
      acknowledged += whole.length;

      const raw = new DatabaseSync(path);
      const kept = new Set(
        raw
          .prepare("select id from events")
          .all()
          .map((row) => row["id"]),
      );
      assert.deepEqual(
        whole.filter((id) => !kept.has(id)),
        [],
      );
      assert.ok(kept.size <= acknowledged + round + 1, "at most the last write of each round was not acknowledged");
      raw.close();
    }
    assert.ok(acknowledged >= 10);
    await assertWhole(path);
  });
}
