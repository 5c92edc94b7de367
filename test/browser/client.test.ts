import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import {
  all,
  keysOf,
  listen,
  refreshPath,
  signUp,
  statusOfMe,
  steady,
  token,
  until,
  worn,
} from "../support/client-pages.ts";
import { createSites } from "../support/client-site.ts";

test("the client is small, and names no dependency and no lock", () => {
  const source = readFileSync(join(import.meta.dirname, "../../web/client.js"));
  assert.ok(gzipSync(source, { level: 9 }).length < 3 * 1024);
  assert.doesNotMatch(source.toString(), /^import |require\(|navigator\.locks/m);
});

const open = createSites();

test("tokens are in memory only", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(await page.evaluate("document.cookie"), "");
  const stored = (await page.evaluate("Object.values({ ...localStorage, ...sessionStorage })")) as string[];
  assert.equal(stored.length, 1, "the key for the next refresh");
  assert.match(stored[0] ?? "", /^\d{10}[\da-f-]{36}$/);
  assert.equal(await page.evaluate("indexedDB.databases().then(({ length }) => length)"), 0);
});

test("three tabs that refresh at once stay signed in, with one session", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const tabs = [first, await site.tab(), await site.tab()];
  for (let round = 0; round < 3; round += 1) {
    // Loaded anew they have nothing in memory: they have to ask with the one cookie.
    await Promise.all(tabs.map((page) => site.reload(page)));
    assert.deepEqual(await all(tabs, statusOfMe), [200, 200, 200]);
  }
  assert.equal(
    await first.evaluate("client.fetch('/users/me/sessions').then((r) => r.json()).then(({ items }) => items.length)"),
    1,
  );
});

test("three tabs whose token is not good any more at once: one key, and all go on", async (t) => {
  for (const options of ["", '{ delivery: "body" }']) {
    const site = await open(t, { REFRESH_OVERLAP: "0s" });
    if (site === undefined) return;
    const tabs = [await site.tab({ options })];
    await signUp(tabs[0] as Page);
    tabs.push(await site.tab({ options }), await site.tab({ options }));
    assert.deepEqual(await all(tabs, statusOfMe), [200, 200, 200]);
    for (let round = 0; round < 3; round += 1) {
      site.meet("/users/me", worn, worn, worn);
      const before = site.seen(refreshPath).length;
      assert.deepEqual(await all(tabs, statusOfMe), [200, 200, 200]);
      const asked = site.seen(refreshPath).slice(before);
      assert.ok(asked.length >= 1 && asked.length <= 3);
      assert.equal(keysOf(asked).size, 1, "chosen before, and agreed on");
    }
  }
});

test("a new tab asks the others before it asks the server", async (t) => {
  for (const options of ["", '{ delivery: "body" }']) {
    const site = await open(t);
    if (site === undefined) return;
    const first = await site.tab({ options });
    await signUp(first);
    const others = [await site.tab({ options, clock: true }), await site.tab({ options, clock: true })];
    // As new as can be, and its time to listen is never over.
    for (const other of others) await other.clock.pauseAt(Date.now() + 10_000);
    const newToken = `import("/client.js").then(({ createClient }) => createClient(${options}).token())`;
    const access = await first.evaluate(token);
    assert.deepEqual(await all(others, newToken), [access, access]);
    assert.deepEqual(await all(others, statusOfMe), [200, 200]);
    assert.equal(site.seen(refreshPath).length, 0);
  }
});

test("an answer that gets lost, or breaks off, is asked for again with the same key", async (t) => {
  const site = await open(t, { REFRESH_OVERLAP: "0s" });
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  for (const trouble of ["lost", "broken"] as const) {
    await site.reload(page);
    const before = site.seen(refreshPath).length;
    site.meet(refreshPath, trouble, trouble);
    assert.equal(await page.evaluate(statusOfMe), 200, trouble);
    const asked = site.seen(refreshPath).slice(before);
    assert.equal(asked.length, 3, trouble);
    assert.equal(keysOf(asked).size, 1, trouble);
  }
  await site.reload(page);
  assert.equal(await page.evaluate(statusOfMe), 200, "and the session goes on");
});

test("a page that is loaded anew while its answer is on the way uses the key it chose before", async (t) => {
  const site = await open(t, { REFRESH_OVERLAP: "0s" });
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  await site.reload(page);
  site.meet(refreshPath, "lost");
  const later = Promise.withResolvers<void>();
  site.meet(refreshPath, later.promise);
  await page.evaluate(`void ${token}`);
  await site.until(refreshPath, 2);
  await site.reload(page);
  later.resolve();
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(keysOf(site.seen(refreshPath)).size, 1);
});

test("a request without an answer ends after ten seconds, and is sent again", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab({ clock: true });
  await signUp(page);
  await site.reload(page);
  site.meet(refreshPath, "silence");
  await page.evaluate(`void (globalThis.asked = ${statusOfMe})`);
  await site.until(refreshPath, 1);
  await page.clock.fastForward(10_000);
  await page.clock.fastForward(1000);
  assert.equal(await page.evaluate("asked"), 200);
  assert.equal(site.seen(refreshPath).length, 2);
  assert.equal(keysOf(site.seen(refreshPath)).size, 1);
});

test("a token that is not good any more is refreshed once, and the request repeated once", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  site.meet("/users/me", worn);
  const renamed = `client.fetch("/users/me", { method: "PATCH", headers: { "content-type": "application/json" },
    body: JSON.stringify({ display_name: "Ada" }) }).then((response) => response.json())`;
  assert.equal((await page.evaluate<{ display_name: string }>(renamed)).display_name, "Ada");
  assert.equal(site.seen("/users/me").length, 2);
  assert.equal(site.seen(refreshPath).length, 1);
  site.meet("/users/me", worn, worn);
  assert.equal(await page.evaluate(statusOfMe), 401, "refused twice is refused");
  assert.equal(site.seen("/users/me").length, 4);
  assert.equal(site.seen(refreshPath).length, 2);
});

test("tokens are refreshed ahead of time, in tabs that somebody sees", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab({ clock: true, before: steady });
  await signUp(page);
  const hide = (isHidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))`);
  const first = await page.evaluate(token);
  await page.clock.fastForward("14:29");
  assert.equal(site.seen(refreshPath).length, 0);
  assert.equal(await page.evaluate(token), first);
  await page.clock.fastForward("00:02");
  await page.clock.fastForward(200);
  await site.until(refreshPath, 1);
  await until(page, `(await client.token()) !== "${String(first)}"`);

  await hide(true);
  await page.clock.fastForward("14:40");
  await page.clock.fastForward("14:40");
  assert.equal(await page.evaluate("1"), 1);
  assert.equal(site.seen(refreshPath).length, 1, "an unseen tab keeps no session alive");
  await hide(false);
  await page.clock.fastForward(200);
  await site.until(refreshPath, 2);
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(site.seen(refreshPath).length, 2);
});

test("what the server counts says which news is newer, not a clock", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab({ clock: true });
  await signUp(first);
  const second = await site.tab({ clock: true });
  const old = await second.evaluate(token);
  const before = site.seen(refreshPath).length;
  // From here on the second tab lives in another year.
  await second.clock.setSystemTime("2020-01-01");
  site.meet("/users/me", worn);
  assert.equal(await second.evaluate(statusOfMe), 200);
  const next = await second.evaluate(token);
  assert.notEqual(next, old);
  await until(first, `(await client.token()) === "${String(next)}"`);
  assert.equal(site.seen(refreshPath).length, before + 1);
});

test("a clock that was set back hands out a token that has expired; one 401 mends it", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab({ clock: true, before: steady });
  await signUp(page);
  await page.clock.setSystemTime("2020-01-01");
  site.meet("/users/me", worn);
  assert.equal(await page.evaluate(statusOfMe), 200);
  // The timer does not ask the clock, neither here nor in a tab that hears of a time long after its own.
  await page.clock.fastForward("14:31");
  await page.clock.fastForward(200);
  await site.until(refreshPath, 2);
  const second = await site.tab({ clock: true, before: steady });
  await second.clock.pauseAt(Date.now() + 3_600_000);
  await second.clock.setSystemTime("2020-01-01");
  await second.evaluate("client.close()");
  await second.evaluate(
    `import("/client.js").then(({ createClient }) => { globalThis.client = createClient(); return client.token(); })`,
  );
  const before = site.seen(refreshPath).length;
  await second.clock.runFor("14:31");
  await second.clock.runFor(100);
  await site.until(refreshPath, before + 1);
});

test("a page that comes back by the back button asks anew who is signed in, and news does not throw it out", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  const changes = await listen(page);
  const first = await page.evaluate(token);
  for (const next of [[], [[false, "unknown"]]]) {
    await site.open(page, "/errors");
    assert.equal(await page.evaluate(statusOfMe), 200);
    if (next.length > 0) await page.evaluate("client.signOut()");
    await page.goBack({ waitUntil: "commit" });
    // It is the page of before, with what its script had in memory.
    assert.equal(await page.evaluate("typeof changes"), "object");
    await until(page, next.length > 0 ? "changes.length > 0" : `(await client.token()) !== "${String(first)}"`);
    assert.deepEqual(await changes(), next);
  }
  assert.equal(await page.evaluate(token), undefined);
});
