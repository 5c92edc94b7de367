import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, createTestServer, type TestServer } from "../support/test-server.ts";

/** A browser as far as a server sees one: it keeps cookies by name and says where its requests come from. */
class Browser {
  readonly cookies = new Map<string, string>();
  readonly server: TestServer;

  constructor(server: TestServer) {
    this.server = server;
  }

  async send(method: string, url: string, options: { body?: object; token?: string } = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { "sec-fetch-site": "same-origin", ...(cookie === "" ? {} : { cookie }) };
    const answer = await this.server.request(method, url, { ...options, headers });
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [, name = "", value = "", age = ""] = /^([^=]+)=([^;]*); Max-Age=(\d+)/.exec(line) ?? [];
      if (Number(age) === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  async signIn(email: string): Promise<string> {
    const body = { email, password: "password", delivery: "cookie" };
    const answer = await this.send("POST", "/auth/login", { body });
    assert.equal(answer.status, 200, answer.text);
    return String(answer.body["token"]);
  }

  refresh(body: object = { delivery: "cookie" }): Promise<Answer> {
    return this.send("POST", "/auth/refresh", { body });
  }

  async whoIs(token: unknown): Promise<unknown> {
    const { body } = await this.send("GET", "/users/me", { token: String(token) });
    return body["email"] ?? body["code"];
  }
}

const [alice, bob] = ["alice@example.com", "bob@example.com"];

async function openBrowser(): Promise<Browser> {
  const server = await createTestServer();
  for (const email of [alice, bob]) await server.signUp(email, "password");
  return new Browser(server);
}

test("two people with one browser: nobody gets the other's session, and each sign-in is a new one", async () => {
  // ASVS 7.2.4 (requirement 53), V25 (CVE-2025-12390: the next one got the session of who had left without signing out)
  const browser = await openBrowser();
  const first = await browser.signIn(alice);
  const planted = browser.cookies.get("tollgate_refresh");
  const second = await browser.signIn(bob);
  const bobs = browser.cookies.get("tollgate_refresh");
  assert.notEqual(bobs, planted);
  assert.equal(await browser.whoIs(second), bob);
  assert.equal(await browser.whoIs((await browser.refresh()).body["token"]), bob);
  assert.equal(await browser.whoIs(first), alice, "her page that is still open is still hers");
  const again = await browser.signIn(bob);
  const { body } = await browser.send("GET", "/users/me/sessions", { token: again });
  assert.equal((body["items"] as unknown[]).length, 3, "his sign-up and two sign-ins, none of them hers");
});

test("a session that somebody planted is not taken over by who signs in", async () => {
  // Fixation: the attacker's own cookies and device are in the victim's browser before the sign-in.
  const browser = await openBrowser();
  await browser.signIn(bob);
  const attacker = new Map(browser.cookies);
  const token = await browser.signIn(alice);
  assert.equal(await browser.whoIs(token), alice);
  browser.cookies.clear();
  for (const [name, value] of attacker) browser.cookies.set(name, value);
  const { body } = await browser.refresh();
  assert.equal(await browser.whoIs(body["token"]), bob, "what the attacker keeps is still only the attacker's");
});

test("signing out takes the own cookie away, with or without it, and never somebody else's", async () => {
  const browser = await openBrowser();
  const [first, second] = [await browser.signIn(alice), await browser.signIn(bob)];
  assert.equal((await browser.send("POST", "/auth/logout", { token: first })).status, 204);
  assert.equal(await browser.whoIs(first), "session-ended");
  assert.equal(await browser.whoIs((await browser.refresh()).body["token"]), bob, "his session goes on");
  assert.equal((await browser.send("POST", "/auth/logout", { token: second })).status, 204);
  assert.equal(browser.cookies.has("tollgate_refresh"), false);
  const third = await browser.signIn(alice);
  const cookie = browser.cookies.get("tollgate_refresh") ?? "";
  browser.cookies.clear();
  const out = await browser.send("POST", "/auth/logout", { token: third });
  assert.match(String(out.headers["set-cookie"]), /^tollgate_refresh=; Max-Age=0/);
  browser.cookies.set("tollgate_refresh", cookie);
  assert.equal((await browser.refresh()).body["reason"], "revoked");
});

test("ending the own session from the list takes its cookie away; ending another one does not", async () => {
  const browser = await openBrowser();
  const token = await browser.signIn(alice);
  const { body } = await browser.send("GET", "/users/me/sessions", { token });
  const sessions = body["items"] as { id: string; current: boolean }[];
  const end = async (isCurrent: boolean): Promise<void> => {
    const id = sessions.find(({ current }) => current === isCurrent)?.id ?? "";
    assert.equal((await browser.send("DELETE", `/users/me/sessions/${id}`, { token })).status, 204);
  };
  await end(false);
  assert.equal(browser.cookies.has("tollgate_refresh"), true);
  await end(true);
  assert.equal(browser.cookies.has("tollgate_refresh"), false);
});

test("no script of a page gets the token of a cookie into a body, whatever it asks for", async () => {
  // ASVS 3.3.4 (requirement 56): HttpOnly would else be worth nothing.
  const browser = await openBrowser();
  await browser.signIn(alice);
  for (const body of [{}, { delivery: "body" }, { delivery: "cookie" }]) {
    const before = browser.cookies.get("tollgate_refresh");
    const answer = await browser.refresh(body);
    assert.equal(answer.status, 200, answer.text);
    assert.equal("refresh_token" in answer.body, false);
    assert.doesNotMatch(answer.text, /tgr_/);
    assert.notEqual(browser.cookies.get("tollgate_refresh"), before, "it goes on in the cookie");
  }
});
