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
    for (const test of new Set(breaks.map((one) => one.test))) {
      const { exitCode, output } = await runTest(copy, test);
      assert.equal(exitCode, 0, output);
    }
  });

  for (const { chapter, file, test, before, after } of breaks) {
    it(`${chapter}: ${file}, seen by ${test}`, async () => {
      const whole = readFileSync(join(copy, file), "utf8");
      writeFileSync(
        join(copy, file),
        whole.replace(before, () => after),
      );
      try {
        const { exitCode, output } = await runTest(copy, test);
        assert.equal(exitCode, 1, output);
      } finally {
        writeFileSync(join(copy, file), whole);
      }
    });
  }
});

async function runTest(directory: string, test: string): Promise<{ exitCode: number | null; output: string }> {
  // Without the marks of the runner that runs this very test, or the inner one would report to it.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = execFile(process.execPath, ["--test", test], { cwd: directory, env }, (_error, stdout, stderr) => {
    resolve({ exitCode: child.exitCode, output: stdout + stderr });
  });
  return await promise;
}
