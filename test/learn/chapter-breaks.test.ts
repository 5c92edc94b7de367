/** Each "break it" of the tutorial, done in a copy of the checkout: the test that the chapter names must notice. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, test } from "node:test";
import { breaksOf } from "../support/chapter-quotes.ts";
import { readChapters } from "../support/chapters.ts";
import { directoryOfFile } from "../support/server-process.ts";

const root = join(import.meta.dirname, "../..");
const breaks = readChapters().flatMap(({ file, source }) => breaksOf(source).map((one) => ({ chapter: file, ...one })));

const copy = directoryOfFile();

before(() => {
  const isForeign = (path: string): boolean => ["node_modules", ".git", "data"].includes(basename(path));
  cpSync(root, copy, { recursive: true, filter: (path) => path === root || !isForeign(path) });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});

for (const { chapter, file, test: seenBy, fails, before, after } of breaks) {
  test(`${chapter} breaks ${file}, and ${seenBy} sees it`, async () => {
    const whole = readFileSync(join(copy, file), "utf8");
    const broken = whole.replace(before, () => after);
    writeFileSync(join(copy, file), broken);
    try {
      // The test of this name came to run, and failed: nothing else did that, as a file that cannot be loaded.
      assert.match(await runTest(copy, seenBy, fails), new RegExp(`^ *not ok \\d+ - ${RegExp.escape(fails)}$`, "m"));
    } finally {
      writeFileSync(join(copy, file), whole);
    }
  });
}

/** Runs only the test of this name: the others cost time, and could fail for another reason. */
async function runTest(directory: string, file: string, name: string): Promise<string> {
  // Without the marks of the runner that runs this very test, or the inner one would report to it.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const args = ["--test", "--test-reporter=tap", `--test-name-pattern=${RegExp.escape(name)}`, file];
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(process.execPath, args, { cwd: directory, env }, (_error, stdout, stderr) => resolve(stdout + stderr));
  return await promise;
}
