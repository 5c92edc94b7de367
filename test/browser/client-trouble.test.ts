import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintsOf } from "../support/browser.ts";
import {
  all,
  deaf,
  emailOfMe,
  forbid,
  listen,
  outcomeOf,
  refreshPath,
  signUp,
  steady,
  statusOfMe,
  token,
  until,
  worn,
} from "../support/client-pages.ts";
import { createSites } from "../support/client-site.ts";

const kept = "Tollgate: try again later";

const open = createSites();

test("a visitor is nobody, and nothing is wrong about that", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  const complaints = complaintsOf(page);
  const changes = await listen(page);
  assert.equal(await page.evaluate(token), undefined);
  assert.equal(await page.evaluate(outcomeOf("client.signOut()")).then(JSON.stringify), "{}");
  assert.deepEqual(complaints, []);
  assert.deepEqual(await changes(), []);
  assert.equal(site.seen(refreshPath).length, 1);
  assert.equal(site.seen("/auth/logout").length, 0);
});

test("what is no refusal of the session ends nothing, and is asked for once", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const second = await site.tab();
  assert.equal(await second.evaluate(statusOfMe), 200);
  const changes = await listen(second);
  const oddAnswers = [
    { status: 401, body: { code: "token-missing" } },
    { status: 401, body: "<h1>Sign in to the café's network</h1>" },
    { status: 403, body: { code: "foreign-origin" } },
    { status: 404 },
    { status: 422, body: { code: "validation-failed" } },
  ];
  for (const answer of oddAnswers) {
    const before: number = site.seen(refreshPath).length;
    site.meet("/users/me", worn);
    site.meet(refreshPath, answer);
    assert.deepEqual(await first.evaluate(outcomeOf(statusOfMe)), { message: kept, status: answer.status });
    assert.equal(site.seen(refreshPath).length, before + 1);
    assert.deepEqual(await all([first, second], statusOfMe), [200, 200]);
  }
  assert.deepEqual(await changes(), []);
});

test("a page that is no answer of ours is asked for again", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  await site.reload(page);
  site.meet(refreshPath, { status: 200, body: "<h1>Welcome to the café's network</h1>" }, { status: 502 });
  assert.equal(await page.evaluate(statusOfMe), 200);
  assert.equal(site.seen(refreshPath).length, 3);
});

test("a late copy of a request that another tab made is refused, and ends nothing", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const third = await site.tab();
  const late = await site.tab({ before: deaf });
  assert.deepEqual(await all([third, late], statusOfMe), [200, 200]);
  const changes = await Promise.all([first, third, late].map(listen));

  const gone = Promise.withResolvers<void>();
  site.meet("/users/me", worn);
  site.meet(refreshPath, gone.promise);
  const before = site.seen(refreshPath).length;
  await late.evaluate(`void (globalThis.asked = ${statusOfMe})`);
  await site.until(refreshPath, before + 1);
  // Meanwhile the others go on, twice. The late one is not told.
  for (const tab of [first, third]) {
    site.meet("/users/me", worn);
    assert.equal(await tab.evaluate(statusOfMe), 200);
  }
  gone.resolve();
  assert.equal(await late.evaluate("asked"), 200);
  const asked = site.seen(refreshPath).slice(before);
  assert.equal(asked.length, 4, "the late one was refused, and asked once more");
  assert.equal(asked[0]?.cookie, asked[1]?.cookie);
  assert.equal(asked[0]?.key, asked[1]?.key);
  assert.deepEqual(await all([first, third, late], statusOfMe), [200, 200, 200]);
  for (const told of changes) assert.deepEqual(await told(), []);
});

test("a theft ends the session in all tabs, and they learn why", async (t) => {
  const site = await open(t, { REFRESH_OVERLAP: "0s" });
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const tabs = [first, await site.tab(), await site.tab()];
  assert.deepEqual(await all(tabs, statusOfMe), [200, 200, 200]);
  const changes = await Promise.all(tabs.map(listen));
  const [stolen] = await site.context.cookies();
  const cookies = await site.context.cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  assert.ok(stolen);
  const theft = await fetch(site.url + refreshPath, {
    method: "POST",
    headers: { cookie, "content-type": "application/json", "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ delivery: "cookie" }),
  });
  assert.equal(theft.status, 200);
  site.meet("/users/me", worn);
  const storage = await first.evaluate("JSON.stringify(localStorage)");
  assert.equal(await first.evaluate(statusOfMe), 401);
  for (const tab of tabs) await until(tab, "changes.length > 0");
  for (const told of changes) assert.deepEqual(await told(), [[false, "reused"]]);
  assert.deepEqual(await all(tabs, token), [undefined, undefined, undefined]);
  assert.equal(await first.evaluate("JSON.stringify(localStorage)"), storage, "a key may be another tab's by now");
});

test("a session that was ended elsewhere is over in all tabs", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  const email = await signUp(first);
  const second = await site.tab();
  assert.equal(await second.evaluate(statusOfMe), 200);
  const changes = await Promise.all([first, second].map(listen));
  const call = async (path: string, method: string, body?: unknown, access = ""): Promise<Response> =>
    fetch(site.url + path, {
      method,
      headers: { "content-type": "application/json", ...(access ? { authorization: `Bearer ${access}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const elsewhere = (await (await call("/auth/login", "POST", { email, password: "password" })).json()) as {
    token: string;
  };
  const ended = await fetch(`${site.url}/users/me/sessions`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${elsewhere.token}` },
  });
  assert.equal(ended.status, 204);
  assert.equal(await second.evaluate(statusOfMe), 401);
  await until(first, "changes.length > 0");
  for (const told of changes) assert.deepEqual(await told(), [[false, "revoked"]]);
});

test("a sign-up whose answer gets lost may come a second time", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  // Browsers send a request again by themselves when a connection that they had open is gone.
  site.meet("/users/", "lost");
  const email = await signUp(page);
  assert.equal(await page.evaluate(emailOfMe), email);
  const sent = site.seen("/users/");
  assert.equal(sent.length, 2);
  assert.match(sent[0]?.key ?? "", /^\d{10}[\da-f-]{36}$/);
  assert.equal(sent[1]?.key, sent[0]?.key);
});

test("signing out that the server did not do is not done", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  const other = await site.tab();
  assert.equal(await other.evaluate(statusOfMe), 200);
  const changes = await Promise.all([page, other].map(listen));
  for (const status of [503, 500, 429, 403]) {
    site.meet("/auth/logout", { status });
    assert.deepEqual(await page.evaluate(outcomeOf("client.signOut()")), { message: kept, status });
  }
  for (const told of changes) assert.deepEqual(await told(), []);
  await site.reload(page);
  assert.equal(await page.evaluate(statusOfMe), 200, "nor forgotten");
  // Done, but the answer gets lost: to be done already is all right.
  site.meet("/auth/logout", "lost");
  await page.evaluate("client.signOut().catch(() => client.signOut())");
  await site.reload(page);
  assert.deepEqual(await all([page, other], token), [undefined, undefined]);
});

test("signing out in one tab signs out the others, also one that is refreshing", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const tabs = [first, await site.tab(), await site.tab()];
  assert.deepEqual(await all(tabs, statusOfMe), [200, 200, 200]);
  const changes = await Promise.all(tabs.map(listen));
  const done = Promise.withResolvers<void>();
  const before = site.seen(refreshPath).length;
  site.meet("/users/me", worn);
  site.meet(refreshPath, { answerAfter: done.promise });
  await tabs[2]?.evaluate(`void (globalThis.asked = ${statusOfMe})`);
  await site.until(refreshPath, before + 1);
  await first.evaluate("client.signOut()");
  assert.equal(await tabs[2]?.evaluate("asked"), 401);
  done.resolve();
  for (const tab of tabs) await until(tab, "changes.length > 0");
  assert.deepEqual(await all(tabs, token), [undefined, undefined, undefined]);
  assert.deepEqual(await all(tabs, statusOfMe), [401, 401, 401]);
  for (const told of changes) assert.deepEqual(await told(), [[false, "signed-out"]]);
  await site.reload(first);
  assert.equal(await first.evaluate(token), undefined);
});

test("late news of a session that is over brings nobody back", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const late = await site.tab({ before: deaf });
  assert.equal(await late.evaluate(statusOfMe), 200);
  const changes = await listen(first);
  const done = Promise.withResolvers<void>();
  const before = site.seen(refreshPath).length;
  site.meet("/users/me", worn);
  site.meet(refreshPath, { answerAfter: done.promise });
  await late.evaluate(`void (globalThis.asked = ${statusOfMe})`);
  await site.until(refreshPath, before + 1);
  await first.evaluate("client.signOut()");
  // What it is told now, it got before the end.
  done.resolve();
  assert.equal(await late.evaluate("asked"), 401);
  assert.equal(await first.evaluate(token), undefined);
  assert.deepEqual(await changes(), [[false, "signed-out"]]);
  assert.equal(await late.evaluate(statusOfMe), 401, "and the late one finds out");
  assert.equal(await late.evaluate(token), undefined);
});

test("when somebody else signs in, all tabs are theirs", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const first = await site.tab();
  await signUp(first);
  const second = await site.tab();
  assert.equal(await second.evaluate(statusOfMe), 200);
  const changes = await listen(second);
  const before = site.seen(refreshPath).length;
  const email = await signUp(first);
  await until(second, "changes.length > 0");
  assert.deepEqual(await changes(), [[true, undefined]]);
  assert.deepEqual(await all([first, second], emailOfMe), [email, email]);
  assert.equal(site.seen(refreshPath).length, before);
});

test("a server that asks for time gets it; the token in hand stays in use", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab({ clock: true, before: steady });
  await signUp(page);
  const access = await page.evaluate(token);
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await site.reload(page);
  site.meet(refreshPath, { status: 503, headers: { "retry-after": "7" } });
  await page.evaluate(`void (globalThis.asked = ${token})`);
  await page.clock.runFor(100);
  await site.until(refreshPath, 1);
  await page.evaluate("fetch('/health/live')");
  await page.clock.runFor(6999);
  await page.evaluate("fetch('/health/live')");
  assert.equal(site.seen(refreshPath).length, 1);
  await page.clock.runFor(101);
  await site.until(refreshPath, 2);
  assert.ok(access);
  assert.ok(await page.evaluate("asked"));

  const more = { status: 429, headers: { "retry-after": "60" } };
  site.meet(refreshPath, more);
  await page.clock.runFor("14:31");
  await page.clock.runFor(100);
  await site.until(refreshPath, 3);
  for (let use = 0; use < 3; use += 1) {
    assert.equal(await page.evaluate(statusOfMe), 200);
    await page.clock.runFor(500);
  }
  assert.equal(site.seen(refreshPath).length, 3, "nobody asks before its time");
  await page.clock.runFor(60_000);
  await site.until(refreshPath, 4);
});

test("five tries, later and later, then the call fails; the session is kept", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab();
  await signUp(page);
  await site.reload(page);
  site.meet(refreshPath, { status: 503 }, "broken", { status: 500 }, { status: 502 }, { status: 503 });
  assert.deepEqual(await page.evaluate(outcomeOf(statusOfMe)), { message: kept, status: 503 });
  assert.equal(site.seen(refreshPath).length, 5);
  assert.equal(await page.evaluate(statusOfMe), 200);
});

test("a client that is closed while it refreshes finishes that, and is quiet", async (t) => {
  const site = await open(t);
  if (site === undefined) return;
  const page = await site.tab({ clock: true });
  const complaints = complaintsOf(page);
  await signUp(page);
  await site.reload(page);
  const done = Promise.withResolvers<void>();
  site.meet(refreshPath, done.promise);
  await page.evaluate(`void (globalThis.asked = ${token})`);
  await site.until(refreshPath, 1);
  await page.evaluate("client.close()");
  done.resolve();
  assert.equal(typeof (await page.evaluate("asked")), "string");
  await page.clock.fastForward("30:00");
  await page.evaluate("fetch('/health/live')");
  assert.equal(site.seen(refreshPath).length, 1, "it plans nothing any more");
  assert.deepEqual(complaints, []);
});

test("where the browser forbids storage, or channels, or both, it does without", async (t) => {
  for (const before of [forbid.storage, forbid.channel, `${forbid.storage};${forbid.channel}`]) {
    const site = await open(t);
    if (site === undefined) return;
    const page = await site.tab({ before });
    const complaints = complaintsOf(page);
    await signUp(page);
    site.meet("/users/me", worn);
    site.meet(refreshPath, "lost");
    assert.equal(await page.evaluate(statusOfMe), 200);
    assert.equal(new Set(site.seen(refreshPath).map(({ key }) => key)).size, 1);
    await site.reload(page);
    assert.equal(await page.evaluate(statusOfMe), 200);
    await page.evaluate("client.signOut()");
    assert.equal(await page.evaluate(token), undefined);
    await page.evaluate("client.close()");
    assert.deepEqual(
      complaints.filter((text) => !text.startsWith("Failed to load resource")),
      [],
    );
  }
});

test("from another origin: tokens in memory, and only for the page's and the server's origin", async (t) => {
  const pages = await open(t, {}, { bypassCSP: true });
  if (pages === undefined) return;
  const stranger = await open(t);
  if (stranger === undefined) return;
  const accounts = await open(t, { CORS_ORIGINS: pages.url });
  if (accounts === undefined) return;
  const options = `{ baseUrl: "${accounts.url}", delivery: "body" }`;
  const first = await pages.tab({ options });
  await signUp(first);
  const second = await pages.tab({ options });
  // It asks the other tab, and without a cookie it is nobody until that answers: 50 ms, or later on a busy machine.
  await until(second, "client.token()");
  const statusThere = `client.fetch("${accounts.url}/users/me").then(({ status }) => status)`;
  assert.deepEqual(await all([first, second], statusThere), [200, 200]);
  await first.evaluate(`client.fetch("${stranger.url}/users/me", { mode: "no-cors" }).catch(() => undefined)`);
  await first.evaluate("client.fetch('/users/me')");
  assert.equal(stranger.seen("/users/me")[0]?.authorization, undefined);
  assert.match(pages.seen("/users/me")[0]?.authorization ?? "", /^Bearer /);
  const cookies = await pages.context.cookies();
  assert.deepEqual(cookies, []);
  await first.evaluate("client.signOut()");
  await until(second, "!(await client.token())");
  await pages.reload(first, { options });
  assert.equal(await first.evaluate(token), undefined);
  const asked = accounts.seen(refreshPath).filter(({ key }) => key !== undefined);
  assert.equal(
    asked.length,
    1,
    "when the page's own server did not know the token; then nobody had anything to ask with",
  );
});
