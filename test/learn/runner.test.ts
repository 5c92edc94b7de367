/** `npm run learn`, as a learner uses it: in a copy of the exercises, in a process of its own. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { checkExercise } from "../../learn/runner/check.ts";
import { readExercises, type Exercise } from "../../learn/runner/exercises.ts";
import { showHint, showList, showResult, showTask, showWaiting, showWelcome } from "../../learn/runner/screens.ts";
import { plain, wrap, type Terminal } from "../../learn/runner/terminal.ts";
import { learnCopy } from "../support/learn-copy.ts";

const [learn, watched, finished] = [learnCopy(), learnCopy(), learnCopy()];
const exercises = readExercises(learn);

/** So long a loaded machine may take for a check: only so that what never comes is told. */
const seesMillisecondsMax = 60_000;
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

type Running = {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Waits until the output since the last wait has this text. */
  readonly sees: (text: string) => Promise<void>;
  readonly ended: Promise<number | null>;
};

function start(directory: string, ...args: string[]): Running {
  const child = spawn(process.execPath, ["learn.ts", ...args], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined },
  });
  let output = "";
  let from = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("output");
    });
  }
  const ended = once(child, "close").then(([exitCode]) => exitCode as number | null);
  children.add(child);
  return {
    child,
    output: () => output,
    ended,
    sees: async (text) => {
      const deadline = AbortSignal.timeout(seesMillisecondsMax);
      for (;;) {
        // Line breaks hang on the length of paths.
        const words = output.replaceAll(/\s+/g, " ");
        const at = words.indexOf(text, from);
        if (at !== -1) {
          from = at + text.length;
          return;
        }
        const more = once(child, "output", { signal: deadline }).then(
          () => true,
          () => false,
        );
        const isMore = await Promise.race([more, ended.then(() => false)]);
        assert.ok(isMore || output.replaceAll(/\s+/g, " ").includes(text, from), `no "${text}" in:\n${output}`);
      }
    },
  };
}

async function run(directory: string, ...args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const { ended, output } = start(directory, ...args);
  return { exitCode: await ended, output: output() };
}

function exercise(directory: string, number: number): Exercise {
  const found = readExercises(directory)[number - 1];
  assert.ok(found);
  return found;
}

describe("single commands", () => {
  it("list shows twelve lines, done or open", async () => {
    const { exitCode, output } = await run(learn, "list");
    assert.equal(exitCode, 0);
    assert.equal(output.match(/^[> ] open {2}[0-9]{2} .+$/gm)?.length, 12);
    assert.match(output, /^> open {2}01 /);
    assert.match(output, /0 of 12 done\.\n$/);
    assert.equal(output, stripVTControlCharacters(output), "colours where there is no terminal");
  });

  it("run says what is wrong and exits with 1, or with 0 and remembers it", async () => {
    const open = await run(learn, "run", "9");
    assert.equal(open.exitCode, 1);
    assert.match(open.output, /^09 The order of routes\n/);
    assert.match(open.output, /^> not yet {2}fixed words win, wherever they stand$/m);
    assert.match(open.output, /^Not yet\.\nGET \/users\/me led to/m);
    const { file, solution } = exercise(learn, 9);
    copyFileSync(solution, file);
    const done = await run(learn, "run", "route-order");
    assert.equal(done.exitCode, 0, done.output);
    assert.match(done.output, /Done: every test passes\./);
    assert.doesNotMatch(done.output, /not yet/);
    const list = await run(learn, "list");
    assert.match(list.output, /^ {2}done {2}09 /m);
    assert.match(list.output, /1 of 12 done\.\n$/);
  });

  it("hint gives one after the other, and the last one again", async () => {
    const { hints } = exercise(learn, 1);
    const outputs: string[] = [];
    for (let time = 0; time <= hints.length; time += 1) outputs.push((await run(learn, "hint")).output);
    for (const [index, output] of outputs.slice(0, -1).entries()) {
      assert.match(output, new RegExp(`^01 .*: hint ${index + 1} of ${hints.length}\n`));
    }
    assert.equal(outputs.at(-1), outputs.at(-2));
    assert.match(outputs.at(-1) ?? "", /solution 01/);
    assert.match((await run(learn, "hint", "9")).output, /^09 .*: hint 1 of/);
  });

  it("reset brings the beginning back and keeps what was there", async () => {
    const { file, startingPoint, solution } = exercise(learn, 9);
    const { exitCode, output } = await run(learn, "reset", "9");
    assert.equal(exitCode, 0);
    assert.equal(readFileSync(file, "utf8"), readFileSync(startingPoint, "utf8"));
    const kept = /What you had is in\s+(\S+)\./.exec(output)?.[1] ?? "";
    assert.equal(readFileSync(join(learn, kept), "utf8"), readFileSync(solution, "utf8"));
    assert.match((await run(learn, "list")).output, /^ {2}open {2}09 /m);
    assert.doesNotMatch((await run(learn, "reset", "9")).output, /What you had/);
  });

  it("solution shows one and changes nothing", async () => {
    const { file, startingPoint, solution } = exercise(learn, 7);
    const { exitCode, output } = await run(learn, "solution", "7");
    assert.equal(exitCode, 0);
    assert.ok(output.includes(readFileSync(solution, "utf8").trimEnd()));
    assert.equal(readFileSync(file, "utf8"), readFileSync(startingPoint, "utf8"));
  });

  it("a misuse is a sentence and exits with 2", async () => {
    for (const args of [["run", "13"], ["run"], ["solution", "x"], ["reset", "../.."], ["dance"]]) {
      const { exitCode, output } = await run(learn, ...args);
      assert.equal(exitCode, 2, args.join(" "));
      assert.doesNotMatch(output, /\n {4}at /);
    }
    assert.equal((await run(learn, "--help")).exitCode, 0);
  });

  it("progress that cannot be read is no progress", async () => {
    writeFileSync(join(learn, ".progress/progress.json"), "{");
    const { exitCode, output } = await run(learn, "list");
    assert.equal(exitCode, 0);
    assert.match(output, /0 of 12 done/);
  });
});

describe("watching", () => {
  it("welcomes once, looks at each save, goes on, and ends well with Ctrl-C", async () => {
    const { file, solution } = exercise(watched, 1);
    const first = start(watched);
    await first.sees("Welcome to Tollgate's exercises.");
    await first.sees("0 of 12 done.");
    await first.sees("01 Secrets from the environment");
    await first.sees("Not yet. SECRET_KEY was not set");
    await first.sees("save it: I look again");

    writeFileSync(file, 'export function readSecret(): string {\n  throw new Error("SECRET_KEY");\n');
    await first.sees("It does not run. Node.js cannot load read-secret.ts, line 2: Expected '}'");
    await first.sees("I look again");
    // As many editors save: another file, moved into place.
    copyFileSync(solution, `${file}.new`);
    renameSync(`${file}.new`, file);
    await first.sees("Done: every test passes.");
    await first.sees("1 of 12 done.");
    await first.sees("02 Two sign-ups at once");
    await first.sees("Ten sign-ups of one address came at once");
    first.child.kill("SIGINT");
    assert.equal(await first.ended, 0);
    assert.match(first.output(), /\n1 of 12 done\. "npm run learn" goes on from here\.\n$/);
    assert.equal(first.output(), stripVTControlCharacters(first.output()));

    const second = start(watched);
    await second.sees("1 of 12 done.");
    await second.sees("02 Two sign-ups at once");
    second.child.kill("SIGINT");
    assert.equal(await second.ended, 0);
    assert.doesNotMatch(second.output(), /Welcome/);
  });

  it("a save during a check ends that check and begins another", async () => {
    const { file, solution } = exercise(watched, 2);
    writeFileSync(file, "for (;;);\nexport {};\n");
    const { sees, child, ended } = start(watched);
    await sees("02 Two sign-ups at once");
    await sees("must not be what decides.");
    copyFileSync(solution, file);
    await sees("Done: every test passes.");
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
  });

  it("a file that is gone can be brought back", async () => {
    const { file } = exercise(watched, 3);
    rmSync(file);
    const { sees, child, ended } = start(watched);
    await sees("stored-password.ts is not there.");
    assert.equal((await run(watched, "reset", "3")).exitCode, 0);
    assert.ok(existsSync(file));
    await sees("Not yet. The stored text holds the password");
    child.kill("SIGINT");
    assert.equal(await ended, 0);
  });

  it("with everything mended it goes through all of them and ends by itself", async () => {
    for (const { file, solution } of readExercises(finished)) copyFileSync(solution, file);
    const { exitCode, output } = await run(finished);
    assert.equal(exitCode, 0, output);
    assert.equal(output.match(/Done: every test passes\./g)?.length, 12);
    assert.match(output, /12 of 12 done\./);
    assert.match(output, /All exercises are done\./);
    const again = await run(finished, "hint");
    assert.match(again.output, /^All exercises are done\. For a hint/);
  });
});

describe("what is wrong, in words", () => {
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["a syntax error", "export function readSecret(: string {", /^Node\.js cannot load read-secret\.ts, line 1: /],
    [
      "a missing export",
      "export const secret = 1;",
      /^read-secret\.ts no longer exports readSecret, which its test needs\.$/,
    ],
    [
      "an unknown import",
      'import "./nowhere.ts";\nexport function readSecret() {}',
      /^Node\.js cannot load .*: Cannot find module/,
    ],
    [
      "an error thrown while loading",
      "export function readSecret() {}\nnull.length;",
      /^Node\.js cannot load read-secret\.ts, line 2: Cannot read properties of null/,
    ],
    [
      "an error thrown by the function",
      "export function readSecret(env) {\n  return env.nothing.length;\n}",
      /^read-secret\.ts threw an error at line 2\. TypeError: Cannot read properties of undefined/,
    ],
    [
      "the end of the process",
      "export function readSecret() { process.exit(0); }",
      /^read-secret\.ts ended the process/,
    ],
    [
      "the end of the process after tests that passed",
      'let calls = 0;\nexport function readSecret({ SECRET_KEY = "" }) {\n  calls += 1;\n  if (calls > 4) process.exit(0);\n  if (SECRET_KEY.length < 32 && !SECRET_KEY.startsWith("é")) throw new Error("SECRET_KEY");\n  return SECRET_KEY;\n}',
      /^read-secret\.ts ended the process before its test was through\./,
    ],
    [
      "a loop without an end",
      "export function readSecret() { for (;;); }",
      /^read-secret\.ts did not end within 3 seconds\./,
    ],
  ];
  for (const [what, text, complaint] of wrong) {
    it(what, async () => {
      const { file, startingPoint } = exercise(learn, 1);
      writeFileSync(file, text);
      const result = await checkExercise(
        exercise(learn, 1),
        what.startsWith("a loop") ? { millisecondsMax: 3_000 } : {},
      );
      copyFileSync(startingPoint, file);
      assert.ok(result.outcome === "failed" || result.outcome === "unreadable", result.outcome);
      assert.match(result.complaint, complaint);
      assert.doesNotMatch(result.complaint, /\n|file:\/\//);
    });
  }
});

it("what the code prints is shown, up to a bound", async () => {
  const { file, solution } = exercise(learn, 1);
  const text = readFileSync(solution, "utf8");
  writeFileSync(file, `${text}\nfor (let line = 1; line <= 100000; line += 1) console.log("line", line);\n`);
  const { exitCode, output } = await run(learn, "run", "1");
  copyFileSync(exercise(learn, 1).startingPoint, file);
  assert.equal(exitCode, 0, output);
  assert.match(output, /^Your code printed:\n {2}\| line 1\n {2}\| line 2\n/m);
  assert.ok(output.split("\n").length < 50);
});

describe("a narrow terminal", () => {
  const width = 32;
  let text = "";
  const terminal: Terminal = {
    write: (more) => {
      text += more;
    },
    width: () => width,
    isScreen: false,
    paint: (_colour, words) => `\u001B[1m${words}\u001B[22m`,
  };

  it("gets lines that fit, but for paths, code and long words", async () => {
    const [one] = exercises;
    assert.ok(one);
    const result = await checkExercise(one);
    text = "";
    showWelcome(terminal);
    showList(terminal, exercises, { done: new Set(), hintsShown: new Map(), isWelcomed: true });
    showTask(terminal, one);
    showResult(terminal, one, result);
    showWaiting(terminal, one);
    for (const each of exercises) for (const index of each.hints.keys()) showHint(terminal, each, index);
    const lines = stripVTControlCharacters(text).split("\n");
    const tooLong = lines.filter(
      (line) => line.length > width && !line.startsWith("    ") && line.trim().includes(" "),
    );
    assert.deepEqual(
      tooLong.filter((line) => !/[/\\]/.test(line)),
      [],
    );
    assert.ok(lines.length > 200);
  });

  it("wraps at words, and a long word has its own line", () => {
    assert.equal(wrap("one two three", 7), "one two\nthree");
    assert.equal(wrap("a verylongword b", 6), "a\nverylongword\nb");
    assert.equal(wrap("one two", 6, "  "), "  one\n  two");
    assert.equal(wrap("", 10), "");
  });

  it("reads Markdown as a person does", () => {
    const markdown =
      "A **bold** and *light* word, `code` and [a link](x.md).\n\n- one item that is long\n- two\n\n```ts\nconst a = `b`;\n```\n\n| a | b |\n| --- | --- |\n| `1` | two |";
    assert.equal(
      plain(markdown, 20),
      "A bold and light\nword, code and a\nlink (x.md).\n\n- one item that is\n  long\n- two\n\n    const a = `b`;\n\n- a, b\n- 1, two",
    );
  });
});
