import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const required = { EMAIL_VERIFICATION: "required" };
const password = "correct horse battery staple";

const post = (server: TestServer, url: string, body: object, options: object = {}) =>
  server.request("POST", url, { body, ...options });

test("a silent sign-up answers everybody the same, and tells the owner by mail", async () => {
  // ASVS 6.3.8 (requirement 12)
  const server = await createTestServer(required);
  const email = "alice@example.com";
  const first = await post(server, "/users/", { email, password });
  assert.equal(first.status, 202);
  assert.deepEqual(Object.keys(first.body), ["flow"]);
  assert.equal((await post(server, "/auth/login", { email, password })).body["code"], "email-not-verified");
  assert.equal((await post(server, "/auth/login", { email, password: "wrong" })).body["code"], "wrong-credentials");
  await post(server, "/auth/verify-email", { token: (await server.mails())[0]?.token });
  await server.logIn(email, password);

  server.clock.advance(1000);
  const again = await post(server, "/users/", { email: "Alice@example.com", password: "another password" });
  assert.equal(again.status, 202);
  assert.deepEqual(Object.keys(again.headers).toSorted(), Object.keys(first.headers).toSorted());
  assert.equal(again.text.length, first.text.length);
  const told = (await server.mails()).at(-1);
  assert.equal(told?.subject, "You have an account already");
  assert.equal(told.token, "");
  await server.logIn(email, password);
});

test("nobody takes an address beforehand: whose mail is used, their password counts", async () => {
  const server = await createTestServer(required);
  const email = "alice@example.com";
  await post(server, "/users/", { email, password: "the thief's password" });
  server.clock.advance(1000);
  const { flow } = (await post(server, "/users/", { email, password })).body;
  const own = (await server.mails()).at(-1);
  assert.equal((await post(server, "/auth/verify-email", { flow, code: own?.code })).status, 204);
  assert.equal((await post(server, "/auth/login", { email, password: "the thief's password" })).status, 401);
  await server.logIn(email, password);
});

test("fifty sign-ups of one address at once are one account and one mail", async () => {
  // X19
  const server = await createTestServer({ ...required, HASH_QUEUE: "1000" });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post(server, "/users/", { email: "race@example.com", password })),
  );
  assert.ok(answers.every(({ status }) => status === 202));
  assert.equal((await server.mails()).length, 1);
  assert.equal((await server.platform.db.selectFrom("accounts").select("id").execute()).length, 1);
});

test("who took an account over and moved it twice cannot keep it from its owner", async () => {
  const server = await createTestServer();
  const { token, email } = await server.signUp("alice@example.com");
  const latest = async () => (await server.mails()).filter(({ token }) => token !== "").at(-1);
  await post(server, "/auth/verify-email", { token: (await latest())?.token });
  const move = async (to: string) => {
    await post(server, "/users/me/email", { email: to }, { token });
    await post(server, "/auth/change-email", { token: (await latest())?.token });
    return (await latest())?.token;
  };
  const ownersWayBack = await move("thief@b.example");
  const thiefsWayBack = await move("thief@c.example");
  assert.equal((await post(server, "/auth/undo-email-change", { token: thiefsWayBack })).status, 204);
  assert.equal((await post(server, "/auth/undo-email-change", { token: ownersWayBack })).status, 204);
  const accounts = await server.platform.db.selectFrom("accounts").select("email").execute();
  assert.deepEqual(
    accounts.map((row) => row.email),
    [email],
  );
  assert.equal((await server.request("GET", "/users/me", { token })).status, 401);
});

test("a new device, another password and a stolen refresh token are told, and one answer shuts everybody out", async () => {
  // ASVS 6.3.7 (requirement 18)
  const server = await createTestServer({ EMAIL_VERIFICATION: "off" });
  const { email, token } = await server.signUp("alice@example.com");
  const elsewhere = {
    headers: { "user-agent": "Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/140.0" },
    address: "198.51.100.9",
  };
  await server.logIn(email, password);
  assert.deepEqual(await server.mails(), [], "the same program at the same address is no news");
  const thief = await post(server, "/auth/login", { email, password }, elsewhere);
  const [notice, ...others] = await server.mails();
  assert.deepEqual(others, []);
  assert.match(notice?.text ?? "", /Firefox on Windows, from 198\.51\.100\.9/);
  await post(server, "/auth/refresh", { refresh_token: thief.body["refresh_token"] });
  server.clock.advance(60_000);
  await post(server, "/auth/refresh", { refresh_token: thief.body["refresh_token"] });
  const change = { current_password: password, new_password: "the thief's password" };
  await server.request("PUT", "/users/me/password", { token, body: change });
  assert.deepEqual(
    (await server.mails()).slice(1).map(({ subject }) => subject),
    ["We ended one of your sessions", "Your password was changed"],
  );

  assert.equal((await post(server, "/auth/not-me", { token: notice?.token })).status, 204);
  assert.equal((await server.request("GET", "/users/me", { token })).status, 401);
  for (const one of [password, "the thief's password"]) {
    assert.equal((await post(server, "/auth/login", { email, password: one })).status, 401);
  }
  const reset = (await server.mails()).at(-1);
  assert.equal(reset?.page, "/mail/reset");
  await post(server, "/auth/reset-password", { token: reset.token, new_password: "mine again, really" });
  await server.logIn(email, "mine again, really");
});

test("signing in by mail is off, and where it is on goes through the one door", async () => {
  // ASVS 6.3.4 (requirement 19)
  const off = await createTestServer();
  await off.signUp("alice@example.com");
  assert.equal((await post(off, "/auth/magic", { email: "alice@example.com" })).body["code"], "switched-off");
  assert.equal((await off.request("GET", "/sign-in/by-mail")).status, 404);
  const server = await createTestServer({ SIGN_IN_BY_MAIL: "on" });
  assert.equal((await server.request("GET", "/sign-in/by-mail")).status, 200);
  const admin = await server.administrator();
  const { id, email } = await server.signUp("alice@example.com");
  const { flow } = (await post(server, "/auth/magic", { email })).body;
  const mail = (await server.mails()).at(-1);
  const signedIn = await post(server, "/auth/magic/complete", { flow, code: mail?.code });
  assert.equal(signedIn.status, 200);
  assert.equal(
    (await server.request("GET", "/users/me", { token: String(signedIn.body["token"]) })).body["email_verified"],
    true,
  );
  await post(server, "/auth/magic", { email });
  const second = (await server.mails()).at(-1);
  await server.request("PATCH", `/admin/users/${id}`, { token: admin.token, body: { disabled: true } });
  assert.equal((await post(server, "/auth/magic/complete", { token: second?.token })).status, 410);
});

test("an administrator sees the life of a mail, and nothing that is in it", async () => {
  const server = await createTestServer();
  const admin = await server.administrator();
  const { email } = await server.signUp("alice@example.com");
  const mail = (await server.mails())[0];
  await post(server, "/auth/verify-email", { token: mail?.token });
  const { status, text, body } = await server.request("GET", "/admin/mail", { token: admin.token });
  assert.equal(status, 200);
  const [item] = body["items"] as {
    recipient: string;
    state: string;
    link: { state: string };
    steps: { step: string }[];
  }[];
  assert.equal(item?.recipient, email);
  assert.equal(item.state, "delivered");
  assert.equal(item.link.state, "used");
  assert.deepEqual(
    item.steps.map(({ step }) => step),
    ["queued", "delivered", "used"],
  );
  assert.ok(!text.includes(mail?.token ?? "?") && !text.includes(mail?.code ?? "?"));
});

test("the development inbox has the mail with its links, and each kind can be looked at", async () => {
  const server = await createTestServer();
  await server.signUp("alice@example.com");
  const [mail] = await server.mails();
  const here = (url: string, headers = {}) => server.request("GET", url, { address: "127.0.0.1", headers });
  const [item] = (await here("/dev/inbox")).body["items"] as { id: string; links: string[] }[];
  assert.ok(item?.links.some((link) => link.endsWith(`#${mail?.token}`)));
  const page = await here(`/dev/inbox/${item?.id}`, { accept: "text/html" });
  assert.match(page.headers["content-type"] ?? "", /^text\/html/);
  const list = await here("/dev/inbox", { accept: "text/html" });
  assert.match(list.text, new RegExp(`href="/dev/inbox/${item?.id}">Confirm your e-mail address</a>`));
  assert.doesNotMatch(list.text, new RegExp(String(mail?.token)), "the link stays in the mail");
  const { kinds, locales } = (await here("/dev/mail")).body as { kinds: string[]; locales: string[] };
  assert.deepEqual(locales, ["en", "de"]);
  for (const kind of kinds) {
    for (const locale of locales) {
      const preview = await here(`/dev/mail/${kind}?locale=${locale}`);
      assert.equal(preview.status, 200);
      assert.doesNotMatch(preview.text, /\{\w+\}|undefined/, `${kind} ${locale}`);
    }
  }
  const previews = (await here("/dev/mail", { accept: "text/html" })).text.match(/\/dev\/mail\/[\w-]+\?locale=\w+/g);
  assert.deepEqual(
    previews,
    kinds.flatMap((kind) => locales.map((locale) => `/dev/mail/${kind}?locale=${locale}`)),
  );
  assert.equal((await here("/dev/inbox")).headers["vary"], "accept");
});
