/** Each "break it" of the tutorial, done in a copy of the checkout: the test that the chapter names must notice. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { breaksOf } from "../support/chapter-quotes.ts";
import { readChapters } from "../support/chapters.ts";
import { directoryOfFile } from "../support/server-process.ts";

const root = join(import.meta.dirname, "../..");
const breaks = readChapters().flatMap(({ file, source }) => breaksOf(source).map((one) => ({ chapter: file, ...one })));

describe("what a chapter breaks, its test notices", () => {
  const copy = directoryOfFile();
  before(() => {
    for (const name of readdirSync(root)) {
      if (["node_modules", ".git", "data"].includes(name)) continue;
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  });

  it("and passes while nothing is broken", async () => {
    for (const [test, ones] of Map.groupBy(breaks, (one) => one.test)) {
      const names = ones.map(({ fails }) => fails);
      const { exitCode, output } = await runTests(copy, test, names);
      assert.equal(exitCode, 0, output);
      for (const name of names) assert.ok(output.includes(name), `${name} did not run`);
    }
  });

  for (const { chapter, file, test, fails, before, after } of breaks) {
    it(`${chapter}: ${file}, seen by ${test}`, async () => {
      const whole = readFileSync(join(copy, file), "utf8");
      writeFileSync(
        join(copy, file),
        whole.replace(before, () => after),
      );
      try {
        const { exitCode, output } = await runTests(copy, test, [fails]);
        assert.equal(exitCode, 1, output);
      } finally {
        writeFileSync(join(copy, file), whole);
      }
    });
  }
});

/** Runs only the tests of these names: the others cost time, and could fail for another reason. */
async function runTests(
  directory: string,
  test: string,
  names: readonly string[],
): Promise<{ exitCode: number | null; output: string }> {
  const patterns = names.map((name) => `--test-name-pattern=${RegExp.escape(name)}`);
  // Without the marks of the runner that runs this very test, or the inner one would report to it.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const args = ["--test", "--test-reporter=tap", ...patterns, test];
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = execFile(process.execPath, args, { cwd: directory, env }, (_error, stdout, stderr) => {
    resolve({ exitCode: child.exitCode, output: stdout + stderr });
  });
  return await promise;
}
