import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { ProblemEntryBody } from "../../src/features/guide/problem-entry-body.ts";
import { fillIn } from "../../web/learn/chapter-run.ts";
import { openBrowser } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

type Sent = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};
type Got = { readonly status: number; readonly body: Record<string, unknown> };
type ExampleRequest = ProblemEntryBody["example"]["request"];

/** From within the page, under its policy and the browser's rules. */
async function send(page: Page, request: Sent): Promise<Got> {
  const script = `(async ({ method, path, headers, body }) => {
    const response = await fetch(path, { method, headers, body, cache: "no-store" });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  })(${JSON.stringify(request)})`;
  return page.evaluate(script);
}

async function makeAccount(page: Page, role: "user" | "admin"): Promise<Record<string, unknown>> {
  const headers = { "content-type": "application/json" };
  const { status, body } = await send(page, {
    method: "POST",
    path: "/dev/accounts",
    headers,
    body: JSON.stringify({ role }),
  });
  assert.equal(status, 201, JSON.stringify(body));
  const { user, token, refresh_token, password } = body as { user: object } & Record<string, unknown>;
  return { ...user, token, refresh_token, password };
}

/** As the Lab does it: docs in the description of ExampleRequest. */
async function play(page: Page, { before, request }: ProblemEntryBody["example"], random: string): Promise<Got> {
  const letters = { "17000": "a".repeat(17_000), "70000": "a".repeat(70_000) };
  const cast: Record<string, Record<string, unknown>> = {
    user: await makeAccount(page, "user"),
    administrator: await makeAccount(page, "admin"),
  };
  let got: Got | undefined;
  for (const { as, times, ...one } of [...before, request] satisfies ExampleRequest[]) {
    for (let time = 0; time < times; time += 1) {
      const filled = fillIn(one, { ...cast, random, letters });
      const token = cast[as]?.["token"];
      const authorization = typeof token === "string" ? { authorization: `Bearer ${token}` } : {};
      got = await send(page, { ...filled, headers: { ...authorization, ...filled.headers } });
      if (typeof got.body["token"] === "string" && cast[as]) Object.assign(cast[as], got.body);
    }
  }
  assert.ok(got);
  return got;
}

test("whatever the catalogue offers to the Lab, a page can send, and gets that problem", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { url } = await startServer(t, { env: { LIMIT_API: "off" } });
  const page = await browser.newPage();
  await page.goto(url.replace("127.0.0.1", "localhost"));
  const catalogue = (await send(page, { method: "GET", path: "/errors.json", headers: {} })).body;
  const problems = catalogue["problems"] as readonly ProblemEntryBody[];
  const offered = problems.filter(({ example }) => example.not_in_lab === null);
  assert.ok(offered.length > 25, `${offered.length} of ${problems.length}`);
  for (const { code, status, example } of offered) {
    const got = await play(page, example, `lab${code}`);
    assert.deepEqual([got.status, got.body["code"]], [status, code], JSON.stringify(got.body));
    await send(page, { method: "DELETE", path: "/dev/clock", headers: {} });
    const there = { method: "POST", path: "/dev/faults", headers: { "content-type": "application/json" } };
    await send(page, { ...there, body: '{"database":"there"}' });
  }
});

test("a page of another origin turns no switch, whatever it tries", async (t) => {
  // ASVS 3.5.1–3.5.3 (requirement 57): from another port of the same name, and from another name.
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { port } = await startServer(t);
  const own = `http://localhost:${port}`;
  const stranger = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>Stranger</title><p>Hello</p>");
  }).listen(0, "127.0.0.1");
  t.after(() => stranger.close());
  await once(stranger, "listening");
  const strangerPort = (stranger.address() as AddressInfo).port;
  const script = `(async () => {
    const url = ${JSON.stringify(own)};
    const body = JSON.stringify({ database: "away" });
    const tries = [
      () => fetch(url + "/dev/faults", { method: "POST", headers: { "content-type": "application/json" }, body }),
      () => fetch(url + "/dev/faults", { method: "POST", mode: "no-cors", body }),
      () => fetch(url + "/dev/faults", { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body }),
      () => fetch(url + "/dev/clock", { method: "DELETE" }),
      () => fetch(url + "/dev/accounts", { method: "POST", mode: "no-cors", body: '{"role":"admin"}' }),
      () => fetch(url + "/dev/faults"),
    ];
    const read = [];
    for (const one of tries) {
      read.push(await one().then((response) => response.type === "opaque" ? "nothing" : response.text(), () => "nothing"));
    }
    navigator.sendBeacon(url + "/dev/faults", new Blob([body], { type: "text/plain" }));
    return read;
  })()`;
  for (const host of ["localhost", "127.0.0.1"]) {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${strangerPort}/`);
    assert.deepEqual(new Set(await page.evaluate<string[]>(script)), new Set(["nothing"]), host);
    // A form needs no permission to send; what it cannot send is JSON.
    await page.setContent(
      `<form method="post" action="${own}/dev/faults" enctype="text/plain"><input name='{"database":"away","x":"' value='"}'></form>`,
    );
    await page.evaluate("document.forms[0].submit()");
    await page.waitForURL(`${own}/dev/faults`);
    assert.match(await page.content(), /not-this-machine/);
    await page.close();
  }
  const state = await (await fetch(`${own}/dev/faults`)).json();
  assert.deepEqual(state, { database: "there", seconds_left: 0 });
  const clock = (await (await fetch(`${own}/dev/clock`)).json()) as { offset_seconds: number };
  assert.equal(clock.offset_seconds, 0);
});
