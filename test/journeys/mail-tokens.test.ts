import assert from "node:assert/strict";
import { test } from "node:test";
import { mailTokenPurposes } from "../../src/features/mail-tokens/mail-tokens.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";
import type { ReadMail } from "../support/mail-reading.ts";

const next = "another fine password";

/** The door of each purpose, and what has to come along. */
const doors = {
  "/mail/verify": { url: "/auth/verify-email", more: {} },
  "/mail/reset": { url: "/auth/reset-password", more: { new_password: next } },
  "/mail/change-email": { url: "/auth/change-email", more: {} },
  "/mail/sign-in": { url: "/auth/magic/complete", more: {} },
  "/mail/undo-email-change": { url: "/auth/undo-email-change", more: {} },
  "/mail/not-me": { url: "/auth/not-me", more: {} },
} as const;
type Page = keyof typeof doors;

async function use(server: TestServer, page: Page, proof: object) {
  const { url, more } = doors[page];
  return server.request("POST", url, { body: { ...proof, ...more } });
}

/** One living token of each purpose, all of one account that has confirmed its address. */
async function oneOfEach(server: TestServer): Promise<ReadonlyMap<Page, ReadMail>> {
  const { token, email } = await server.signUp("alice@example.com");
  const first = (await server.mails())[0];
  await use(server, "/mail/verify", { token: first?.token });
  await server.request("POST", "/users/me/email", { token, body: { email: "alice@new.example" } });
  await use(server, "/mail/change-email", { token: (await server.mails()).at(-1)?.token });
  await server.request("POST", "/users/me/email", { token, body: { email } });
  const now = "alice@new.example";
  for (const url of ["/auth/forgot-password", "/auth/magic"])
    await server.request("POST", url, { body: { email: now } });
  await server.platform.db.updateTable("accounts").set({ email_verified: 0 }).execute();
  await server.request("POST", "/auth/verification", { body: { email: now } });
  await server.request("POST", "/auth/login", {
    body: { email: now, password: "correct horse battery staple" },
    headers: { "user-agent": "another" },
  });
  const byPage = new Map(
    (await server.mails()).filter(({ page }) => page !== "").map((mail) => [mail.page as Page, mail]),
  );
  assert.deepEqual([...byPage.keys()].toSorted(), Object.keys(doors).toSorted());
  return byPage;
}

/** Everything that a proof could change. */
async function stateOf(server: TestServer): Promise<unknown> {
  const { db } = server.platform;
  return {
    accounts: await db.selectFrom("accounts").selectAll().execute(),
    sessions: await db.selectFrom("sessions").select(["id", "ended_at"]).execute(),
    used: await db.selectFrom("mail_tokens").select(["id", "used_at"]).orderBy("id").execute(),
    events: await server.events(),
  };
}

test("no kind of token passes at another's door", async () => {
  // ASVS 6.4.1 (requirement 14), V14: N × N
  const server = await createTestServer({ SIGN_IN_BY_MAIL: "on" });
  const mails = await oneOfEach(server);
  const before = await stateOf(server);
  for (const [page, mail] of mails) {
    for (const other of Object.keys(doors) as Page[]) {
      if (other === page) continue;
      const refused = await use(server, other, { token: mail.token });
      assert.equal(refused.status, 410, `${page} at ${other}`);
      assert.equal(refused.body["reason"], "unknown");
    }
  }
  assert.deepEqual(await stateOf(server), before, "and nothing was changed or used up");
  for (const foreign of await foreignTokens(server)) {
    for (const page of Object.keys(doors) as Page[]) {
      assert.equal((await use(server, page, { token: foreign })).status, 410);
    }
  }
  for (const mail of mails.values()) {
    assert.equal((await server.request("GET", "/users/me", { token: mail.token })).body["code"], "token-invalid");
    const refresh = await server.request("POST", "/auth/refresh", { body: { refresh_token: mail.token } });
    assert.equal(refresh.status, 401);
  }
});

test("each kind of token has its door in this table", () => {
  assert.equal(Object.keys(doors).length, mailTokenPurposes.length);
});

/** The flow and the code of each mail that has one, of one account. */
async function codesOf(server: TestServer, email: string): Promise<ReadonlyMap<Page, { flow: string; code: string }>> {
  const { body: entered } = await server.request("POST", "/users/", { body: { email, password: "secret" } });
  const token = String(entered["token"]);
  const flowOf = async (url: string, address = email) =>
    String((await server.request("POST", url, { token, body: { email: address } })).body["flow"]);
  const flows = {
    "/mail/verify": String(entered["verification_flow"]),
    "/mail/reset": await flowOf("/auth/forgot-password"),
    "/mail/sign-in": await flowOf("/auth/magic"),
    "/mail/change-email": await flowOf("/users/me/email", `new-${email}`),
  };
  const mails = (await server.mails()).filter(({ to }) => to.endsWith(email));
  const pages = Object.keys(flows) as (keyof typeof flows)[];
  return new Map(
    pages.map((page) => [page, { flow: flows[page], code: mails.find((mail) => mail.page === page)?.code ?? "" }]),
  );
}

test("no code passes at another's door, nor with another's flow, be it of the same kind or of another", async () => {
  // ASVS 6.5.5, 6.6.2 (requirement 27), V1, V14
  const server = await createTestServer({ SIGN_IN_BY_MAIL: "on" });
  const [alices, bobs] = [await codesOf(server, "alice@example.com"), await codesOf(server, "bob@example.org")];
  const before = await stateOf(server);
  const all = [...alices, ...bobs];
  for (const [page, proof] of all) {
    for (const other of alices.keys()) {
      if (other === page) continue;
      const refused = await use(server, other, proof);
      assert.deepEqual([refused.status, refused.body["code"]], [403, "wrong-code"], `${page} at ${other}`);
    }
    const { flow: foreignFlow } = (alices.get(page) === proof ? bobs : alices).get(page) ?? { flow: "" };
    assert.equal((await use(server, page, { flow: foreignFlow, code: proof.code })).status, 403, `${page}, another's`);
  }
  assert.deepEqual(await stateOf(server), before, "and nothing was changed or used up");
  // A reset makes the others worthless, so it comes last.
  for (const page of ["/mail/verify", "/mail/sign-in", "/mail/reset"] as const) {
    assert.ok((await use(server, page, bobs.get(page) ?? {})).status < 300, `${page} itself works`);
  }
  const unsigned = await server.request("POST", "/users/me/email", { body: { email: "eve@example.com" } });
  assert.equal(unsigned.status, 401, "nobody asks for another's address");
});

async function foreignTokens(server: TestServer): Promise<string[]> {
  const { body } = await server.request("POST", "/users/", { body: { email: "eve@example.com", password: "secret" } });
  return ["token", "refresh_token", "device_token", "verification_flow"].map((name) =>
    String(body[name]).slice(0, 128),
  );
}

test("each step out of order, empty, of another kind or another's is refused and changes nothing", async () => {
  // V1, V39, V20
  const server = await createTestServer({ SIGN_IN_BY_MAIL: "on" });
  await server.signUp("alice@example.com");
  const before = await stateOf(server);
  const bodies = [
    {},
    { token: "" },
    { token: null },
    { token: ["a", "b"] },
    { token: { $ne: "" } },
    { code: "ABCD-EFGH" },
  ];
  const more = [{ flow: "tgf_x" }, { flow: "", code: "" }, { token: "tgm_x", flow: "tgf_x", code: "ABCD-EFGH" }];
  for (const { url } of Object.values(doors)) {
    for (const body of [...bodies, ...more]) {
      const { status } = await server.request("POST", url, { body: { ...body, new_password: next } });
      assert.equal(status, 422, `${url} ${JSON.stringify(body)}`);
    }
    for (const raw of [{ text: "" }, { contentType: "application/json", text: "null" }]) {
      assert.ok((await server.request("POST", url, { raw })).status >= 400);
    }
    const form = { contentType: "application/x-www-form-urlencoded", text: "token=tgm_x" };
    assert.equal((await server.request("POST", url, { raw: form })).status, 415);
    const get = await server.request("GET", url);
    assert.ok(get.status === 405 || get.status === 404);
  }
  for (const page of Object.keys(doors) as Page[]) {
    assert.equal((await use(server, page, { token: "tgm_nobody-was-mailed-this" })).status, 410);
  }
  assert.deepEqual(await stateOf(server), before);
});

test("of a hundred who use one link at once, one does", async () => {
  // I2
  const server = await createTestServer({ HASH_QUEUE: "1000" });
  await server.signUp("alice@example.com");
  await server.request("POST", "/auth/forgot-password", { body: { email: "alice@example.com" } });
  const mail = (await server.mails()).at(-1);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      server.request("POST", "/auth/reset-password", {
        body: { token: mail?.token, new_password: `password ${index}` },
      }),
    ),
  );
  const winners = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []));
  assert.equal(winners.length, 1);
  assert.equal(answers.filter(({ status }) => status === 410).length, 99);
  await server.logIn("alice@example.com", `password ${winners[0]}`);
});

test("a code stands five tries, at once or one after the other, and the link still works", async () => {
  // ASVS 6.5.1, 6.6.3 (requirement 25), V4
  const server = await createTestServer();
  await server.signUp("alice@example.com");
  const { flow } = (await server.request("POST", "/auth/forgot-password", { body: { email: "alice@example.com" } }))
    .body;
  const mail = (await server.mails()).at(-1);
  const reset = (code: string) =>
    server.request("POST", "/auth/reset-password", { body: { flow, code, new_password: next } });
  const wrong = await Promise.all(Array.from({ length: 20 }, () => reset("0000-0000")));
  for (const { status } of wrong) assert.equal(status, 403);
  assert.equal((await reset(mail?.code ?? "")).status, 403, "the sixth is too late, right as it is");
  assert.equal((await use(server, "/mail/reset", { token: mail?.token })).status, 204);
});

test("a link and a code end in time, and with the address they were made for", async () => {
  const server = await createTestServer();
  const { token } = await server.signUp("alice@example.com");
  const ask = async () =>
    (await server.request("POST", "/auth/forgot-password", { body: { email: "alice@example.com" } })).body;
  const { flow } = await ask();
  const mail = (await server.mails()).at(-1);
  server.clock.advance(10 * 60_000);
  const code = { flow, code: mail?.code };
  assert.equal((await use(server, "/mail/reset", code)).body["code"], "wrong-code", "ten minutes");
  server.clock.advance(20 * 60_000);
  assert.equal((await use(server, "/mail/reset", { token: mail?.token })).body["reason"], "expired", "half an hour");

  const fresh = await server.logIn("alice@example.com", "correct horse battery staple");
  await ask();
  const second = (await server.mails()).at(-1);
  await server.request("POST", "/users/me/email", { token: fresh, body: { email: "alice@new.example" } });
  await use(server, "/mail/change-email", { token: (await server.mails()).at(-1)?.token });
  assert.equal((await use(server, "/mail/reset", { token: second?.token })).body["reason"], "void");
  assert.ok(token);
});

test("nothing at rest and no answer holds what was mailed", async () => {
  // ASVS 11.5.1 (requirement 14), V23
  const server = await createTestServer({ SIGN_IN_BY_MAIL: "on" });
  const { token } = await server.signUp("alice@example.com");
  const answers: string[] = [];
  for (const url of ["/auth/forgot-password", "/auth/magic", "/auth/verification"]) {
    answers.push((await server.request("POST", url, { body: { email: "alice@example.com" } })).text);
  }
  answers.push((await server.request("POST", "/users/me/email", { token, body: { email: "b@example.com" } })).text);
  const dump = async () => {
    const { db } = server.platform;
    const rows = [
      await db.selectFrom("mails").selectAll().execute(),
      await db.selectFrom("mail_tokens").selectAll().execute(),
      await db.selectFrom("mail_steps").selectAll().execute(),
      await db.selectFrom("events").selectAll().execute(),
    ];
    return JSON.stringify(rows, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
    );
  };
  const queued = await dump();
  const mails = await server.mails();
  assert.ok(mails.length >= 5);
  for (const text of [queued, await dump(), ...answers]) {
    for (const { token: link, code } of mails) {
      assert.ok(!text.includes(link) && !text.includes(code) && !text.includes(code.replace("-", "")));
    }
  }
  const left = await server.platform.db.selectFrom("mails").select("content_encrypted").execute();
  assert.ok(
    left.every(({ content_encrypted: content }) => content === null),
    "what is sent is erased",
  );
});

test("a link is of PUBLIC_URL, whatever a request says of itself", async () => {
  // V8, requirement 78
  const server = await createTestServer({ PUBLIC_URL: "https://auth.example.com" });
  await server.signUp("alice@example.com");
  const evil = "evil.example";
  await server.request("POST", "/auth/forgot-password", {
    body: { email: "alice@example.com" },
    headers: {
      host: evil,
      "x-forwarded-host": evil,
      "x-forwarded-proto": "http",
      "x-forwarded-for": evil,
      "x-original-host": evil,
      "x-host": evil,
      forwarded: `host=${evil};proto=http`,
      origin: `https://${evil}`,
      referer: `https://${evil}/`,
      "user-agent": `Mozilla/5.0 https://${evil}/ Firefox/1`,
    },
  });
  const mail = (await server.mails()).at(-1);
  assert.match(mail?.text ?? "", /^https:\/\/auth\.example\.com\/mail\/reset\?m=[\w-]{22}&l=en#tgm_[\w-]{43}$/m);
  assert.doesNotMatch(`${mail?.text} ${mail?.html} ${mail?.subject}`, /evil/);
});
