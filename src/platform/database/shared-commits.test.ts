import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { temporaryDirectory } from "../../../test/support/server-process.ts";
import { createSharedCommits } from "./shared-commits.ts";
import { sqliteCodes, sqlitePrimaryCode } from "./sqlite-faults.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { openSqliteWriter, type SqliteWriter } from "./sqlite-writer.ts";

/** Writes down what it is asked, and answers when it is let. */
function createScripted(): {
  readonly writer: SqliteWriter;
  readonly log: string[];
  /** In milliseconds; it passes by itself nowhere. */
  readonly time: { now: number };
  /** Answers what is asked, the first of it. */
  readonly answer: (fault?: Error) => Promise<void>;
  /** The next statement fails, and everything is undone by it. */
  readonly undoByNext: (fault: Error) => void;
} {
  const log: string[] = [];
  const asked: PromiseWithResolvers<void>[] = [];
  let undoing: Error | undefined;
  let isTransaction = false;
  const writer: SqliteWriter = {
    ask: (sql) => {
      log.push(sql);
      isTransaction = sql === "begin immediate";
      const one = Promise.withResolvers<void>();
      asked.push(one);
      return one.promise;
    },
    run: ({ sql }) => {
      log.push(sql);
      if (undoing === undefined) return { rows: [] };
      isTransaction = false;
      throw undoing;
    },
    prepend: (sql) => void log.push(sql),
    isTransaction: () => isTransaction,
    close: async () => undefined,
  };
  return {
    writer,
    log,
    time: { now: 0 },
    answer: async (fault) => {
      const one = asked.shift();
      assert.ok(one);
      if (fault) one.reject(fault);
      else one.resolve();
      await turnOfTheQueue();
    },
    undoByNext: (fault) => (undoing = fault),
  };
}

const turnOfTheQueue = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const insert = { sql: "insert", parameters: [] };

/** What became of it until now. */
function watch(promise: Promise<void>): () => unknown {
  let outcome: unknown = "waits";
  promise.then(
    () => (outcome = "kept"),
    (error: unknown) => (outcome = error),
  );
  return () => outcome;
}

async function begin(commits: ReturnType<typeof createSharedCommits>, scripted: ReturnType<typeof createScripted>) {
  const begun = commits.begin();
  if (scripted.log.at(-1) === "begin immediate") await scripted.answer();
  await begun;
}

test("those that follow each other become one commit, and none is told before", async () => {
  const scripted = createScripted();
  const { log, answer } = scripted;
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  await begin(commits, scripted);
  commits.run(insert);
  const first = watch(commits.commit(true));
  await begin(commits, scripted);
  commits.run(insert);
  commits.rollback(true);
  await begin(commits, scripted);
  commits.run(insert);
  const third = watch(commits.commit(false));
  await turnOfTheQueue();
  assert.deepEqual([first(), third()], ["waits", "waits"]);
  assert.deepEqual(log, [
    "begin immediate",
    "savepoint one",
    "insert",
    "release one",
    "savepoint one",
    "insert",
    "rollback to one",
    "release one",
    "savepoint one",
    "insert",
    "release one",
    "commit",
  ]);
  // Who comes meanwhile begins anew, behind that commit.
  const begun = watch(commits.begin());
  await answer();
  assert.deepEqual([first(), third(), begun()], ["kept", "kept", "waits"]);
  await answer();
  assert.equal(begun(), "kept");
  assert.deepEqual(log.slice(-2), ["begin immediate", "savepoint one"]);
});

test("nothing was kept: nothing is committed", async () => {
  const scripted = createScripted();
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  await begin(commits, scripted);
  commits.rollback(false);
  assert.deepEqual(scripted.log.slice(-2), ["release one", "rollback"]);
});

test("a commit that fails has failed for all of them", async () => {
  const scripted = createScripted();
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  await begin(commits, scripted);
  const first = watch(commits.commit(true));
  await begin(commits, scripted);
  const second = watch(commits.commit(false));
  const fault = new Error("disk I/O error");
  await scripted.answer(fault);
  assert.deepEqual([first(), second()], [fault, fault]);
});

test("a lock that cannot be had fails the one that wanted it, and the next one asks again", async () => {
  const scripted = createScripted();
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  const begun = watch(commits.begin());
  const fault = new Error("database is locked");
  await scripted.answer(fault);
  assert.equal(begun(), fault);
  await begin(commits, scripted);
  assert.deepEqual(scripted.log, ["begin immediate", "begin immediate", "savepoint one"]);
});

test("what SQLite undoes by itself is undone for all, and nothing of it is written afterwards", async () => {
  const scripted = createScripted();
  const { log, undoByNext } = scripted;
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  await begin(commits, scripted);
  commits.run(insert);
  const first = watch(commits.commit(true));
  await begin(commits, scripted);
  const fault = new Error("database or disk is full");
  undoByNext(fault);
  assert.throws(() => commits.run(insert), fault);
  const length = log.length;
  assert.throws(() => commits.run(insert), fault, "it would be a transaction of its own");
  const second = watch(commits.commit(true));
  await turnOfTheQueue();
  assert.deepEqual([first(), second()], [fault, fault]);
  assert.equal(log.length, length);
  await begin(commits, scripted);
  assert.deepEqual(log.slice(length), ["begin immediate", "savepoint one"]);
});

test("however many wait, a commit is not put off for ever", async () => {
  const scripted = createScripted();
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  let count = 0;
  do {
    await begin(commits, scripted);
    commits.commit(true).catch(() => undefined);
    count += 1;
  } while (scripted.log.at(-1) !== "commit" && count < 1000);
  assert.ok(count <= 32, String(count));
});

test("a few milliseconds after the first one began they are committed, whoever waits", async () => {
  const scripted = createScripted();
  const commits = createSharedCommits(scripted.writer, () => scripted.time.now);
  await begin(commits, scripted);
  scripted.time.now = 3.9;
  const first = watch(commits.commit(true));
  assert.equal(scripted.log.at(-1), "release one");
  await begin(commits, scripted);
  scripted.time.now = 4;
  const second = watch(commits.commit(true));
  assert.equal(scripted.log.at(-1), "commit");
  await scripted.answer();
  assert.deepEqual([first(), second()], ["kept", "kept"]);
});

test("a full disk in the middle: SQLite and we agree on what is there", async (t: TestContext) => {
  const path = `${temporaryDirectory(t)}/words.db`;
  const database = await openSqliteFile(path);
  database.exec("create table words (word text)");
  const writer = openSqliteWriter(path);
  t.after(async () => {
    database.close();
    await writer.close();
  });
  writer.prepend("pragma max_page_count = 20");
  const commits = createSharedCommits(writer, () => 0);
  const add = (word: string) => commits.run({ sql: "insert into words values (?)", parameters: [word] });
  const isFull = (error: unknown): boolean => sqlitePrimaryCode(error) === sqliteCodes.full;
  await commits.begin();
  add("one");
  const first = assert.rejects(commits.commit(true), isFull);
  await commits.begin();
  assert.throws(() => add("x".repeat(200_000)), isFull);
  assert.throws(() => add("two"), isFull);
  commits.rollback(true);
  await first;
  await commits.begin();
  add("three");
  await commits.commit(false);
  assert.deepEqual(
    database
      .prepare("select word from words")
      .all()
      .map(({ word }) => word),
    ["three"],
  );
});
