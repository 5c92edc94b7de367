import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import type { BrowserContext, Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { freePort, startServer } from "../support/server-process.ts";

type Site = { readonly url: string; readonly context: BrowserContext; readonly tab: () => Promise<Page> };

/** A server, and a browser in which every page of it has the client as `client`. */
async function openSite(t: TestContext, env: Record<string, string> = {}): Promise<Site | undefined> {
  const browser = await openBrowser(t);
  if (browser === undefined) return undefined;
  const port = String(await freePort());
  const url = `http://localhost:${port}`;
  await startServer(t, { env: { PORT: port, LIMIT_API: "off", LIMIT_REFRESH: "off", ...env } });
  const context = await browser.newContext();
  const tab = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${url}/errors/token-expired`);
    await load(page);
    return page;
  };
  return { url, context, tab };
}

async function load(page: Page): Promise<void> {
  await page.evaluate("import('/client.js').then(({ createClient }) => { globalThis.client = createClient(); })");
}

async function signUp(page: Page): Promise<void> {
  assert.equal(await page.evaluate("client.signUp('alice@example.com', 'password').then(({ status }) => status)"), 201);
}

const statusOfMe = "client.fetch('/users/me').then(({ status }) => status)";

/** What the client asks for, by path. */
function requestsOf(page: Page, path: string): { readonly key: string | undefined }[] {
  const seen: { readonly key: string | undefined }[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === path) seen.push({ key: request.headers()["idempotency-key"] });
  });
  return seen;
}

test("the client is small, and names no dependency", () => {
  const source = readFileSync(join(import.meta.dirname, "../../web/client.js"));
  assert.ok(gzipSync(source, { level: 9 }).length < 3 * 1024);
  assert.doesNotMatch(source.toString(), /^import |require\(|navigator\.locks/m);
});

test("three tabs that refresh at once stay signed in, and share what one of them gets", async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  assert.equal(
    await first.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })"),
    "{}",
    "no token in storage",
  );
  assert.equal(await first.evaluate("document.cookie"), "", "nor where scripts can read it");
  // Reloaded tabs have nothing in memory: all three must ask with the one cookie.
  const tabs = [first, await site.tab(), await site.tab()];
  await Promise.all(tabs.map((page) => page.reload()));
  await Promise.all(tabs.map(load));
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await Promise.all(tabs.map((page) => page.evaluate(statusOfMe))), [200, 200, 200]);
    await Promise.all(tabs.map((page) => page.reload()));
    await Promise.all(tabs.map(load));
  }
  const [a, b, c] = await Promise.all(tabs.map((page) => page.evaluate("client.token()")));
  assert.ok(a && b && c);
  const sessions = await first.evaluate(
    "client.fetch('/users/me/sessions').then((r) => r.json()).then(({ items }) => items.length)",
  );
  assert.equal(sessions, 1, "one session for all of them, and it lives");
});

test("an answer that gets lost after the server has rotated is asked for again with the same key", async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  await page.reload();
  await load(page);
  let lost = 0;
  await page.route("**/auth/refresh", async (route) => {
    if (lost >= 2) return route.continue();
    lost += 1;
    // The server gets it and commits; the browser never sees the answer, nor its cookie.
    const request = route.request();
    await fetch(request.url(), { method: "POST", headers: await request.allHeaders(), body: request.postData() ?? "" });
    return route.abort();
  });
  const refreshes = requestsOf(page, "/auth/refresh");
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(lost, 2);
  assert.equal(new Set(refreshes.map(({ key }) => key)).size, 1, "one key for all three tries");
  assert.equal(refreshes.length, 3);
  await page.reload();
  await load(page);
  assert.equal(await page.evaluate(statusOfMe), 200, "and the session goes on");
});

test("a page that is reloaded while its answer is on the way uses the key it chose before", async (t) => {
  const site = await openSite(t, { REFRESH_OVERLAP: "0s" });
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  await page.reload();
  await load(page);
  let isLost = false;
  await page.route("**/auth/refresh", async (route) => {
    if (isLost) return route.continue();
    isLost = true;
    const request = route.request();
    await fetch(request.url(), { method: "POST", headers: await request.allHeaders(), body: request.postData() ?? "" });
    // No answer at all: the page is gone before one could come.
    return undefined;
  });
  const refreshes = requestsOf(page, "/auth/refresh");
  await page.evaluate("void client.token()");
  while (!isLost) await page.waitForTimeout(20);
  await page.reload();
  await load(page);
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(new Set(refreshes.map(({ key }) => key)).size, 1);
});

test("a token that is not good any more is refreshed once, and the request repeated once", async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  const me = requestsOf(page, "/users/me");
  let isSpoiled = false;
  await page.route("**/users/me", async (route) => {
    if (isSpoiled) return route.continue();
    isSpoiled = true;
    return route.continue({ headers: { ...route.request().headers(), authorization: "Bearer worn.out.token" } });
  });
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(me.length, 2);
});

test("signing out in one tab signs out the others, and nobody else's refusal does", async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const second = await site.tab();
  assert.equal(await second.evaluate(statusOfMe), 200);
  await second.evaluate("globalThis.changes = []; client.onChange((isSignedIn) => changes.push(isSignedIn))");
  assert.equal(await second.evaluate("client.fetch('/admin/users').then(({ status }) => status)"), 403);
  assert.equal(await second.evaluate(statusOfMe), 200, "403 is an answer, not the end");
  await first.evaluate("client.signOut()");
  await second.waitForFunction("changes.length > 0");
  assert.deepEqual(await second.evaluate("changes"), [false]);
  assert.equal(await second.evaluate("client.token()"), undefined);
  assert.equal(await second.evaluate(statusOfMe), 401);
  assert.equal(await first.evaluate("client.token()"), undefined);
});
