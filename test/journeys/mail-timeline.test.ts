import assert from "node:assert/strict";
import { test } from "node:test";
import { noteMailOpened } from "../../src/features/mail/mail.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

const fromPage = { "sec-fetch-site": "same-origin" };

/** What the timeline of the newest mail says after its first `count` steps, once it has one more. */
async function seenAfter(server: TestServer, count: number): Promise<readonly (string | null)[]> {
  const { db } = server.platform;
  for (const deadline = AbortSignal.timeout(30_000); ; deadline.throwIfAborted()) {
    const mail = await db.selectFrom("mails").select("id").orderBy("id").executeTakeFirstOrThrow();
    const steps = await db.selectFrom("mail_steps").selectAll().where("mail_id", "=", mail.id).orderBy("id").execute();
    if (steps.length > count) return steps.slice(count).flatMap(({ step, words }) => [step, words]);
    await new Promise((resolve) => setImmediate(resolve)); // It is noted after the answer.
  }
}

/** All that opening a link must leave as it is. */
async function untouched(server: TestServer): Promise<unknown> {
  const { db } = server.platform;
  return {
    accounts: await db.selectFrom("accounts").selectAll().execute(),
    tokens: await db.selectFrom("mail_tokens").selectAll().execute(),
    sessions: await db.selectFrom("sessions").selectAll().execute(),
    events: await server.events(),
  };
}

test("whoever opens a link is written down, and told from the browser that asked; it uses nothing up", async () => {
  const server = await createTestServer();
  const body = { email: "alice@example.com", password: "correct horse battery staple" };
  const signUp = await server.request("POST", "/users/", { body, headers: fromPage });
  const cookie = /tollgate_mail=[\w-]+/.exec(String(signUp.headers["set-cookie"]))?.[0] ?? "no cookie";
  const [mail] = await server.mails();
  const link = `/mail/verify?m=${mail?.mailId}`;
  const before = await untouched(server);
  const visits = [
    ["GET", {}, "elsewhere, without a cookie: probably a scanner"],
    ["HEAD", {}, "elsewhere, without a cookie: probably a scanner"],
    ["GET", { cookie: "tollgate_mail=somebody-elses" }, "in another browser"],
    ["GET", { cookie }, "in the browser that asked for it"],
  ] as const;
  for (const [index, [method, headers, words]] of visits.entries()) {
    const page = await server.request(method, link, { headers });
    assert.equal(page.status, 200);
    assert.equal(page.headers["set-cookie"], undefined);
    assert.deepEqual(await seenAfter(server, 2 + index), ["opened", words]);
  }
  assert.deepEqual(await untouched(server), before);
  const confirmed = await server.request("POST", "/auth/verify-email", { body: { token: mail?.token } });
  assert.equal(confirmed.status, 204, "the link still works");
  assert.deepEqual(await seenAfter(server, 2 + visits.length), ["used", null]);
});

test("a scanner that never tires fills no table, and an unknown link is nobody's", async () => {
  const server = await createTestServer();
  await server.signUp("alice@example.com");
  const [mail] = await server.mails();
  assert.ok(mail);
  for (let visit = 0; visit < 60; visit += 1) await noteMailOpened(server.platform, mail.mailId, {});
  await noteMailOpened(server.platform, "nobody-was-mailed-this", {});
  const steps = await server.platform.db.selectFrom("mail_steps").select("mail_id").execute();
  assert.deepEqual([steps.length, new Set(steps.map((step) => step.mail_id))], [50, new Set([mail.mailId])]);
});
