import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createContractCheck, type OpenApi } from "../support/contract-check.ts";
import { type RawAnswer, sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server-process.ts";

const unlimited = { LIMIT_API: "off", LIMIT_SIGN_UP: "off", LIMIT_LOGIN_ADDRESS: "off", LIMIT_LOGIN_ACCOUNT: "off" };

function codeOf({ head, body }: RawAnswer): string {
  assert.match(head, /\r\ncontent-type: application\/problem\+json; charset=utf-8/i);
  assert.match(head, /\r\nx-content-type-options: nosniff/i);
  return (JSON.parse(body) as { code: string }).code;
}

describe("the process outlives whatever is sent to it", () => {
  test("what is no HTTP, or HTTP that two readers read differently, is refused", async (t) => {
    // ASVS 4.2.1 (requirement 77), X16, V49
    const server = await startServer(t, { env: unlimited });
    const host = "Host: localhost\r\n";
    const cases: readonly (readonly [string, string, number])[] = [
      ["garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not tls\r\n\r\n", 400],
      ["no version", "GET /\r\n\r\n", 400],
      ["a TLS-like version", `GET / HTTP/9.9\r\n${host}\r\n`, 400],
      ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
      ["two Hosts", `GET / HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`, 400],
      ["a foreign absolute target", `GET http://evil.example/users/me HTTP/1.1\r\n${host}\r\n`, 400],
      [
        "length and chunks at once",
        `POST /users/ HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        400,
      ],
      ["two lengths", `POST /users/ HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
      ["a folded header", `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`, 400],
      ["a space before the colon", `GET / HTTP/1.1\r\n${host}X-A : b\r\n\r\n`, 400],
      ["a bare line feed", `GET / HTTP/1.1\nHost: localhost\n\n`, 400],
      ["an obfuscated encoding", `POST /users/ HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
      ["a bad escape", `GET /%zz HTTP/1.1\r\n${host}\r\n`, 400],
      ["a header bomb", `GET / HTTP/1.1\r\n${host}X-Bomb: ${"a".repeat(100_000)}\r\n\r\n`, 431],
      ["many headers", `GET / HTTP/1.1\r\n${host}${"X-A: b\r\n".repeat(5000)}\r\n`, 431],
      ["TRACE", `TRACE / HTTP/1.1\r\n${host}\r\n`, 405],
      ["a method of another protocol", `PROPFIND / HTTP/1.1\r\n${host}\r\n`, 405],
      ["a long path", `GET /${"a".repeat(8_000)} HTTP/1.1\r\n${host}\r\n`, 404],
    ];
    for (const [name, bytes, status] of cases) {
      const [answer] = await sendRaw(server.port, bytes);
      assert.equal(answer?.status, status, `${name}: ${answer?.head ?? "no answer"}`);
      assert.ok(codeOf(answer).length > 0, name);
    }
    assert.equal(server.process.exitCode, null);
    assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  });

  test("a smuggled second request is never answered", async (t) => {
    // RFC 9112 §6.1 (requirement 77): as many answers as requests.
    const server = await startServer(t, { env: unlimited });
    const inner = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const body = `0\r\n\r\n${inner}`;
    const head = "POST /users/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (const framing of [
      `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`,
      `Transfer-Encoding: chunked\r\nContent-Length: ${body.length}\r\n`,
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`,
      `Transfer-Encoding: identity, chunked, identity\r\n`,
      `Content-Length: +5\r\n`,
      `Content-Length: 5, 5\r\n`,
    ]) {
      const answers = await sendRaw(server.port, `${head}${framing}\r\n${body}`);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [400],
        framing,
      );
    }
  });

  test("headers named like members of every object are only headers", async (t) => {
    // V49
    const server = await startServer(t, { env: unlimited });
    const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
    const lines = names.map((name) => `${name}: x\r\n`).join("");
    const [answer] = await sendRaw(
      server.port,
      `GET /users/me?__proto__=1&constructor=2 HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`,
    );
    assert.equal(answer?.status, 401);
    assert.equal(codeOf(answer), "token-missing");
  });

  test("every route survives a body that is never finished and a client that leaves", async (t) => {
    // X25, "one packet can end the process"
    const server = await startServer(t, { env: unlimited });
    const openApi = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
    const check = createContractCheck(openApi);
    const routes = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path, method })),
    );
    for (const { path, method } of routes) {
      const target = path.replaceAll(/\{[^}]+\}/g, "1");
      const head = `${method.toUpperCase()} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
      await Promise.all([
        sendRaw(server.port, head, { leave: true }),
        sendRaw(server.port, `${head}{"email":`, { leave: true }),
        sendRaw(server.port, head.slice(0, 30), { leave: true }),
        sendRaw(server.port, `${head.replace("Content-Length: 100", "Transfer-Encoding: chunked")}5\r\n{"a`, {
          leave: true,
        }),
      ]);
    }
    const url = "/users/me";
    const response = await fetch(server.url + url);
    check({
      method: "GET",
      url,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: await response.text(),
    });
    assert.equal(server.process.exitCode, null);
    assert.doesNotMatch(server.output(), /nobody looked|internal/, "nothing was rejected and lost");
  });

  test("ten thousand aborted requests leave no descriptor and no memory behind", async (t) => {
    // X25
    const { readdirSync, readFileSync } = await import("node:fs");
    // A small heap: what is only rubbish is swept early, and what is kept shows.
    const server = await startServer(t, { env: { ...unlimited, NODE_OPTIONS: "--max-old-space-size=96" } });
    const pid = String(server.process.pid);
    const descriptors = (): number => readdirSync(`/proc/${pid}/fd`).length;
    const residentKibibytes = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    const abort = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          sendRaw(
            server.port,
            "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
            {
              leave: true,
            },
          ),
        ),
      );
    // The log of decisions fills up to its bound first: that much memory is meant.
    const refused = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000);
    for (let round = 0; round < 11; round += 1) await sendRaw(server.port, refused);
    for (let round = 0; round < 10; round += 1) await abort(200);
    const [descriptorsBefore, memoryBefore] = [descriptors(), residentKibibytes()];
    for (let round = 0; round < 40; round += 1) await abort(200);
    assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
    assert.ok(descriptors() <= descriptorsBefore + 5, `${descriptorsBefore} → ${descriptors()} descriptors`);
    assert.ok(residentKibibytes() < memoryBefore + 32 * 1024, `${memoryBefore} → ${residentKibibytes()} KiB`);
  });

  test("bombs of JSON are refused while others are served", async (t) => {
    // X15, ASVS 6.2.9 (requirement 2)
    const server = await startServer(t, { env: unlimited });
    const post = async (body: string | Buffer, headers: Record<string, string> = {}) => {
      const response = await fetch(`${server.url}/users/`, {
        method: "POST",
        body: body as string,
        headers: { "content-type": "application/json", ...headers },
      });
      return `${response.status} ${((await response.json()) as { code: string }).code}`;
    };
    const account = (password: string): string => JSON.stringify({ email: "a@example.com", password });
    assert.equal(await post(account("x".repeat(1024 * 1024))), "413 body-too-large");
    assert.equal(await post(account("x".repeat(60_000))), "422 validation-failed");
    assert.equal(await post(account("é".repeat(600))), "422 validation-failed", "1,200 bytes");
    assert.equal(await post("[".repeat(60_000)), "400 malformed-json");
    assert.equal(
      await post(`{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":1`).join(",")}}`),
      "422 validation-failed",
    );
    assert.equal(await post(`{"email":${"9".repeat(60_000)}}`), "422 validation-failed");
    assert.equal(
      await post(Buffer.from("1f8b0800", "hex"), { "content-encoding": "gzip" }),
      "415 unsupported-media-type",
    );
    const [chunked] = await sendRaw(
      server.port,
      `POST /users/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`4000\r\n${"x".repeat(0x4000)}\r\n`.repeat(6)}0\r\n\r\n`,
    );
    assert.equal(chunked?.status, 413, "a body of unknown length is cut at the same size");
  });
});
