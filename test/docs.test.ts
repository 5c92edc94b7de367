import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { wrongQuotes } from "./support/chapter-quotes.ts";
import { startServer } from "./support/server-process.ts";

const root = path.join(import.meta.dirname, "..");
const run = promisify(execFile);

type Step = { readonly command: string; readonly expected: string };

/** The commands of the `console` blocks, each with the output that the text promises. `…` stands for anything. */
function stepsOf(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = "", ...expected] = step.trimEnd().split("\n");
        return { command, expected: expected.join("\n") };
      }),
  );
}

function patternOf(expected: string): RegExp {
  const literal = expected.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join("[\\s\\S]*?")}$`);
}

test("the README's first session runs as it is written", async (t) => {
  const server = await startServer(t);
  const url = `http://localhost:${server.port}`;
  const steps = stepsOf(await readFile(path.join(root, "README.md"), "utf8"));
  assert.ok(steps.length >= 6);
  // One shell for all, so that variables live on; a line that no command prints ends each output.
  const end = "--- end of step ---";
  const script = steps.map(({ command }) => `${command}\necho; echo "${end}"`).join("\n");
  const tokens = path.join(server.dataDirectory, "tokens.json");
  const { stdout } = await run(
    "bash",
    ["-c", script.replaceAll("http://localhost:8000", url).replaceAll("/tmp/tokens.json", tokens)],
    {
      cwd: root,
      env: { ...process.env, PORT: String(server.port), DATABASE_URL: `sqlite:${server.dataDirectory}/tollgate.db` },
    },
  );
  const outputs = stdout.replaceAll(url, "http://localhost:8000").split(end);
  for (const [index, { command, expected }] of steps.entries()) {
    assert.match((outputs[index] ?? "").trim().replaceAll("\r", ""), patternOf(expected), command);
  }
  assert.deepEqual(await server.stop(), { exitCode: 0 });
});

test("every link of the documents leads somewhere", async () => {
  const names = (await readdir(root, { recursive: true })).filter(
    (name) => name.endsWith(".md") && !/(^|\/)(node_modules|data)\//.test(name),
  );
  assert.ok(names.length > 5);
  for (const name of names) {
    const text = await readFile(path.join(root, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)) {
      const file = path.join(root, path.dirname(name), target);
      await assert.doesNotReject(
        readFile(file).catch(() => readdir(file)),
        `${name} links to ${target}`,
      );
    }
  }
});

test("what the chapters of the tutorial quote is in the code, word for word", async () => {
  const folder = path.join(root, "docs/learn");
  const names = (await readdir(folder)).filter((name) => /^[0-9]{2}-/.test(name));
  assert.ok(names.length > 0);
  for (const name of names) {
    assert.deepEqual(wrongQuotes(name, await readFile(path.join(folder, name), "utf8")), [], name);
  }
});
