import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type RelayMode, startRelay, type TestRelay } from "../support/smtp-relay.ts";
import { temporaryDirectory } from "../support/server-process.ts";
import { createTestServer, type TestServer } from "../support/test-server.ts";

async function withRelay(env: Record<string, string> = {}): Promise<{ server: TestServer; relay: TestRelay }> {
  const relay = await startRelay();
  after(() => relay.close());
  const smtp = { SMTP_URL: `smtp://127.0.0.1:${relay.port}`, MAIL_FROM: "accounts@example.com" };
  return { relay, server: await createTestServer({ EMAIL_VERIFICATION: "off", ...smtp, ...env }) };
}

const forgot = (server: TestServer, email = "alice@example.com") =>
  server.request("POST", "/auth/forgot-password", { body: { email } });

async function lives(server: TestServer): Promise<unknown[]> {
  const { db } = server.platform;
  const mails = await db.selectFrom("mails").selectAll().orderBy("created_at").execute();
  return Promise.all(
    mails.map(async ({ id, state, tries }) => {
      const steps = await db.selectFrom("mail_steps").select("step").where("mail_id", "=", id).orderBy("id").execute();
      return [state, tries, steps.map(({ step }) => step).join(" ")];
    }),
  );
}

test("a mail goes to the stored address and no other, and is then erased", async () => {
  // V21, V22, requirement 20
  const { server, relay } = await withRelay();
  await server.signUp("Alice@Example.com");
  await forgot(server, " alice@EXAMPLE.com");
  assert.equal(relay.connections(), 0, "nothing is sent while a request is answered");
  await server.app.deliverMail();
  assert.deepEqual(
    relay.taken.map(({ from, to }) => [from, to]),
    [["accounts@example.com", ["Alice@example.com"]]],
  );
  assert.deepEqual(await lives(server), [["delivered", 1, "queued delivered"]]);
});

test("an address without an account gets no mail, and leaves the same rows", async () => {
  const { server, relay } = await withRelay();
  await server.signUp("alice@example.com");
  const known = await forgot(server);
  const unknown = await forgot(server, "nobody@example.com");
  assert.equal(unknown.status, known.status);
  assert.equal(unknown.text.length, known.text.length);
  await server.app.deliverMail();
  assert.equal(relay.taken.length, 1);
  assert.equal((await server.platform.db.selectFrom("mail_tokens").select("id").execute()).length, 2);
  const code = await server.request("POST", "/auth/reset-password", {
    body: { flow: unknown.body["flow"], code: "ABCD-EFGH", new_password: "another one" },
  });
  assert.equal(code.body["code"], "wrong-code");
});

test("a relay that is busy or away is asked again, later and later, until the mail is worth nothing", async () => {
  // X12
  const { server, relay } = await withRelay();
  await server.signUp("alice@example.com");
  await forgot(server);
  const failing: readonly RelayMode[] = ["421", "close", "421", "close"];
  const pauses = [0, 5, 10, 20];
  for (const [index, mode] of failing.entries()) {
    relay.behave(mode);
    server.clock.advance((pauses[index] ?? 0) * 1000 - 1);
    await server.app.deliverMail();
    if (index > 0) assert.deepEqual((await lives(server))[0]?.[1 as never], index, "not a millisecond early");
    server.clock.advance(1);
    await server.app.deliverMail();
  }
  relay.behave("good");
  server.clock.advance(40_000);
  await server.app.deliverMail();
  assert.deepEqual(await lives(server), [["delivered", 5, "queued deferred deferred deferred deferred delivered"]]);
  assert.equal(relay.taken.length, 1);

  relay.behave("421");
  await forgot(server);
  await server.app.deliverMail();
  server.clock.advance(30 * 60_000);
  await server.app.deliverMail();
  assert.deepEqual((await lives(server)).at(-1), ["expired", 2, "queued deferred expired"]);
  assert.equal(relay.taken.length, 1);
});

test("a refused mail is not tried again", async () => {
  const { server, relay } = await withRelay();
  await server.signUp("alice@example.com");
  relay.behave("550");
  await forgot(server);
  await server.app.deliverMail();
  relay.behave("good");
  server.clock.advance(20 * 60_000);
  await server.app.deliverMail();
  assert.deepEqual(await lives(server), [["refused", 1, "queued refused"]]);
  assert.deepEqual(relay.taken, []);
});

test("a relay that takes mail and never says so gets it twice, and not more", async () => {
  const { server, relay } = await withRelay();
  await server.signUp("alice@example.com");
  relay.behave("close-after-data");
  await forgot(server);
  for (let time = 0; time < 6; time += 1) {
    await server.app.deliverMail();
    server.clock.advance(4 * 60_000);
  }
  assert.equal(relay.taken.length, 2);
  assert.equal(new Set(relay.taken.map(({ raw }) => /^Message-ID: (.*)$/im.exec(raw)?.[1])).size, 1);
  assert.deepEqual(await lives(server), [["uncertain", 2, "queued unanswered uncertain"]]);
});

test("a mail that the relay does not answer keeps no other waiting, and is not taken anew meanwhile", async () => {
  const { server, relay } = await withRelay();
  await server.signUp("alice@example.com");
  await server.signUp("bob@example.com");
  relay.behave("hang-after-data");
  await forgot(server);
  await until(() => relay.taken.length === 1);
  relay.behave("good");
  server.clock.advance(121_000); // As after a sleep of the machine: the claim is over.
  await forgot(server, "bob@example.com");
  await until(async () => (await lives(server))[1]?.[0 as never] === "delivered");
  assert.deepEqual(await lives(server), [
    ["sending", 1, "queued"],
    ["delivered", 1, "queued delivered"],
  ]);
});

test("several processes share the work: each mail goes once", async (t) => {
  const DATABASE_URL = `sqlite:${temporaryDirectory(t)}/tollgate.db`;
  const { server, relay } = await withRelay({ DATABASE_URL, SECRET_KEY: "k".repeat(40) });
  const smtp = { SMTP_URL: `smtp://127.0.0.1:${relay.port}`, MAIL_FROM: "accounts@example.com" };
  const other = await createTestServer({
    DATABASE_URL,
    SECRET_KEY: "k".repeat(40),
    EMAIL_VERIFICATION: "off",
    ...smtp,
  });
  for (let index = 0; index < 12; index += 1) {
    await server.signUp(`user${index}@example.com`);
    await forgot(server, `user${index}@example.com`);
  }
  await Promise.all([server.app.deliverMail(), other.app.deliverMail()]);
  assert.equal(relay.taken.length, 12);
  assert.equal(new Set(relay.taken.map(({ to }) => to[0])).size, 12);
});

test("a process that was killed while it handed a mail over doubles it once at the most", async () => {
  const { server, relay } = await withRelay();
  const { db } = server.platform;
  await server.signUp("alice@example.com");
  await forgot(server);
  await server.app.deliverMail();
  assert.equal(relay.taken.length, 1);
  // As it was before the process could write down what the relay said; twice.
  const sealed = server.platform.secrets.encrypt(
    "mail-content",
    Buffer.from('{"subject":"s","text":"t","html":"h","secrets":[]}'),
  );
  for (const handedOver of [1, 2]) {
    await db
      .updateTable("mails")
      .set({
        state: "sending",
        claim: "gone",
        content_encrypted: sealed,
        due_at: server.clock.now() + 120_000,
        handed_over: handedOver,
      })
      .execute();
    server.clock.advance(119_999);
    await server.app.deliverMail();
    assert.equal(relay.taken.length, handedOver, "somebody may still be at it");
    server.clock.advance(1);
    await server.app.deliverMail();
  }
  assert.equal(relay.taken.length, 2);
  assert.equal((await lives(server)).flat()[0], "uncertain");
});

/** What the worker does by itself, once a second. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = AbortSignal.timeout(60_000); !(await isSo()); deadline.throwIfAborted()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
