/** Runs tests: `node test/support/run-tests.ts FILE…`, with patterns as of a shell. */
import { existsSync, globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** More than there are cores: many tests wait most of the time, for a disk, a browser or a moment to pass. */
const atOnce = 3;

/** They begin first, or one of them would run alone at the end. */
const longest = [
  "test/proofs/sessions-model.test.ts",
  "test/process.test.ts",
  "test/browser/pages.test.ts",
  "src/platform/database/postgres-migrate.test.ts",
  "test/learn/chapter-breaks.test.ts",
  "test/browser/mail.test.ts",
  "test/faults/hostile-requests.test.ts",
  "test/browser/client-trouble.test.ts",
  "test/browser/client.test.ts",
  "src/features/accounts/account-search.test.ts",
  "test/learn/exercises.test.ts",
  "test/faults/promotion.test.ts",
  "test/faults/crash.test.ts",
];

const gone = longest.filter((file) => !existsSync(file));
if (gone.length > 0) throw new Error(`there is no ${gone.join(", ")}`);
const wanted = new Set(globSync(process.argv.slice(2)).toSorted());
if (wanted.size === 0) throw new Error("no tests are meant");
const files = [...longest.filter((file) => wanted.has(file)), ...wanted.difference(new Set(longest))];

// Until the summary of all says otherwise.
process.exitCode = 1;
run({ files, concurrency: atOnce, timeout: 300_000 })
  .on("test:summary", ({ file, success }) => {
    if (file === undefined) process.exitCode = success ? 0 : 1;
  })
  .compose(spec)
  .pipe(process.stdout);
