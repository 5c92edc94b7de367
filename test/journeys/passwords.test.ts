import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedDatabase } from "../support/test-database.ts";
import { createTestServer } from "../support/test-server.ts";

const production = {
  TOLLGATE_MODE: "production",
  PUBLIC_URL: "https://auth.example.com",
  SECRET_KEY: "0123456789abcdef0123456789abcdef",
  ARGON2_MEMORY_KIB: "19456",
  ARGON2_PASSES: "2",
};

test("a password is stored as argon2id with the parameters in force, and hashed anew when they rise", async (t) => {
  // OWASP Password Storage, ASVS 11.4.2 (requirement 10)
  const env = { DATABASE_URL: await sharedDatabase(t) };
  const weak = await createTestServer({ ...env, ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" });
  const { email, password, token } = await weak.signUp("alice@example.com");
  const hash = async (): Promise<string> =>
    (await weak.platform.db.selectFrom("accounts").select("password_hash").executeTakeFirstOrThrow()).password_hash;
  assert.match(await hash(), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/);

  const strong = await createTestServer({ ...env, ARGON2_MEMORY_KIB: "19456", ARGON2_PASSES: "2" });
  await strong.request("POST", "/auth/login", { body: { email, password: "wrong" } });
  assert.match(await hash(), /m=8,t=1,p=1/, "a wrong password changes nothing");
  await strong.logIn(email, password);
  const risen = await hash();
  assert.match(risen, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  await strong.logIn(email, password);
  assert.equal(await hash(), risen, "and only once");
  assert.equal((await strong.request("GET", "/users/me", { token })).status, 200, "nobody is signed out by it");
});

test("passwords differ to the last byte: no truncation, no trimming, no case folding", async () => {
  // ASVS 6.2.8 (requirement 3), V48
  const server = await createTestServer();
  const long = "x".repeat(72);
  const pairs = [
    [`${long}a`, `${long}b`],
    ["with space ", "with space"],
    [" leading", "leading"],
    ["nul\u0000one", "nul\u0000two"],
    ["CaseMatters", "casematters"],
    ["ﬁrst letters", "first letters"],
  ] as const;
  for (const [index, [password, other]] of pairs.entries()) {
    const { email } = await server.signUp(`user${index}@example.com`, password);
    assert.equal(
      (await server.request("POST", "/auth/login", { body: { email, password: other } })).status,
      401,
      other,
    );
    await server.logIn(email, password);
  }
});

test("one password typed on two keyboards is one password", async () => {
  // RFC 8265 (requirement 5)
  const server = await createTestServer();
  const { email } = await server.signUp("zoe@example.com", "Zoe\u0301 was here");
  await server.logIn(email, "Zo\u00e9 was here");
});

test("development takes six characters, production fifteen, counted as people count", async () => {
  // NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.1 (requirement 1), 6.2.5 (requirement 4), 6.2.9 (requirement 2)
  const development = await createTestServer();
  const signUp = async (server: typeof development, email: string, password: string) =>
    (await server.request("POST", "/users/", { body: { email, password } })).status;
  assert.equal(await signUp(development, "a@example.com", "12345"), 422);
  assert.equal(await signUp(development, "a@example.com", "123456"), 201);
  const strict = await createTestServer(production);
  assert.equal(await signUp(strict, "b@example.com", "🦊".repeat(14)), 422);
  assert.equal(await signUp(strict, "b@example.com", "🦊".repeat(15)), 201);
  assert.equal(await signUp(strict, "c@example.com", "only lower case letters and spaces"), 201);
  assert.equal(await signUp(strict, "d@example.com", " ".repeat(20)), 201);
  assert.equal(await signUp(strict, "e@example.com", "long ".repeat(50)), 201);
  assert.equal(await signUp(strict, "f@example.com", "é".repeat(512)), 201, "1,024 bytes");
  assert.equal(await signUp(strict, "g@example.com", "é".repeat(513)), 422);
});

test("production refuses common passwords and words of the account, and says which it is", async () => {
  // ASVS 6.2.4, 6.2.11 (requirement 7)
  const server = await createTestServer(production);
  const fault = async (password: string): Promise<unknown> => {
    const { body } = await server.request("POST", "/users/", {
      body: { email: "margarethe@brandenburg.example", password },
    });
    return (body["errors"] as { code: string }[] | undefined)?.map(({ code }) => code);
  };
  assert.deepEqual(await fault("my name is Margarethe!"), ["context"]);
  assert.deepEqual(await fault("the BRANDENBURG gate"), ["context"]);
  assert.deepEqual(await fault("tollgate tollgate tollgate"), ["context"]);
  assert.deepEqual(await fault("passwordpassword"), ["common"]);
  const alice = await server.signUp("alice@example.com", "a long and fine phrase");
  const change = await server.request("PUT", "/users/me/password", {
    token: alice.token,
    body: { current_password: alice.password, new_password: "alice@example.com again" },
  });
  assert.deepEqual(
    (change.body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer),
    ["#/new_password"],
  );
  await server.logIn(alice.email, alice.password);
});

test("who knew the old password cannot come in while it is being changed", async () => {
  // A sign-in that proved the old password before the change and finishes after it starts no session.
  const server = await createTestServer({ HASH_QUEUE: "1000" });
  const { email, password, token } = await server.signUp("alice@example.com");
  const change = server.request("PUT", "/users/me/password", {
    token,
    body: { current_password: password, new_password: "another password" },
  });
  const thief = Array.from({ length: 30 }, () => server.request("POST", "/auth/login", { body: { email, password } }));
  assert.equal((await change).status, 204);
  for (const { status, body } of await Promise.all(thief)) {
    if (status === 200) {
      const still = await server.request("GET", "/users/me", { token: String(body["token"]) });
      assert.equal(still.status, 401, "a session from before the change has ended with it");
    } else assert.equal(status, 401);
  }
});
