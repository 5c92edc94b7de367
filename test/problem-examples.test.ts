import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import type { ProblemEntry } from "../src/contract/problem-entry.ts";
import { problems } from "../src/contract/problems.ts";
import { curlText } from "../src/features/guide/example-text.ts";
import { forgetAll, hire } from "./support/problem-examples.ts";
import { freePort } from "./support/server-process.ts";
import { createTestServer } from "./support/test-server.ts";

const run = promisify(execFile);
/** Without a curl command to try: nobody waits half a minute, or for luck. */
const untried: readonly string[] = ["request-timeout", "request-in-progress"];

test("each page's curl command gets the problem that it is shown for", async () => {
  const port = await freePort();
  const server = await createTestServer({ PORT: String(port) });
  await server.app.listen({ host: "127.0.0.1", port });
  const { publicUrl } = server.platform.config;
  const entries = Object.entries<ProblemEntry>(problems).filter(([, { example }]) => example.onlyInTest === undefined);
  assert.ok(entries.length > 30);
  for (const [code, { example, status }] of entries.filter(([code]) => !untried.includes(code))) {
    const { user, administrator } = await hire(server);
    const script = curlText(example, publicUrl)
      .replace("paste the token here", user["token"] ?? "")
      .replace("paste the refresh token here", user["refresh_token"] ?? "")
      .replace("paste the admin token here", administrator["token"] ?? "");
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script], { maxBuffer: 4 * 1024 * 1024 });
    const [head = "", body = ""] = stdout.slice(stdout.lastIndexOf("HTTP/1.1 ")).split("\r\n\r\n");
    assert.equal(Number(head.slice(9, 12)), status, `${code}:\n${script}\n${stdout}`);
    assert.equal((JSON.parse(body) as { code: unknown }).code, code, script);
    await forgetAll(server);
  }
});
