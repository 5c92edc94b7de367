/**
 * Runs tests on a PostgreSQL server of their own: `npm run test:postgres`, or with files: `npm run test:postgres -- FILE…`.
 * A server that is there already is used instead when TEST_POSTGRES names it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createCluster, findPostgres } from "./postgres-cluster.ts";

/** All that goes by way of a database. What is about SQLite itself, pages, processes or documents is not run twice. */
const everything = [
  "src/features/**/*.test.ts",
  "src/platform/database/{migrate,prepared-query,read-only-window,tables,transaction}.test.ts",
  "test/journeys/**/*.test.ts",
  "test/proofs/{refresh-proof,sessions-model}.test.ts",
  "test/faults/crash.test.ts",
];

const [, , ...given] = process.argv;
const files = given.length > 0 ? given : everything;
const programs = findPostgres();
const ownServer = process.env["TEST_POSTGRES"];
if (programs === undefined && ownServer === undefined) {
  console.log("skipped: no postgres");
  process.exit(process.env["REQUIRE_SERVICES"] === "1" ? 1 : 0);
}
const cluster = ownServer === undefined ? await createCluster(programs ?? "") : undefined;
const runner = spawn(process.execPath, [join(import.meta.dirname, "run-tests.ts"), ...files], {
  stdio: "inherit",
  env: { ...process.env, TEST_POSTGRES: ownServer ?? cluster?.url("postgres") },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => runner.kill(signal));
const [exitCode] = (await once(runner, "close")) as [number | null];
await cluster?.stop();
process.exit(exitCode ?? 1);
