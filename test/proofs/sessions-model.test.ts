import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTestServer, type TestServer } from "../support/test-server.ts";

/**
 * Random histories of accounts, sessions, refresh and revocation, held against a model of a few lines
 * (security.md, "Invariants a history checker proves": I1, I2, I3, I5, I7). The seed is printed.
 */

const second = 1000;
const day = 86_400 * second;
const overlap = 10 * second;

type ModelToken = { readonly text: string; readonly generation: number };
type ModelSession = {
  readonly person: number;
  readonly startedAt: number;
  readonly tokens: ModelToken[];
  access: { readonly text: string; readonly expiresAt: number };
  usedAt: number;
  refreshedAt: number;
  /** By which key each generation was used. */
  readonly keys: (string | undefined)[];
  isOver: boolean;
};

type Step =
  | { readonly do: "signUp" | "logIn" | "changePassword" | "disable" | "enable" | "delete"; readonly person: number }
  | { readonly do: "refresh"; readonly session: number; readonly back: number; readonly key: number }
  | { readonly do: "logOut" | "read"; readonly session: number }
  | { readonly do: "wait"; readonly milliseconds: number };

const person = fc.nat(2);
const session = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("signUp" as const), person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("logIn" as const), person }) },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("refresh" as const), session, back: fc.nat(2), key: fc.nat(3) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), session }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("logOut" as const), session }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("changePassword" as const, "disable", "enable", "delete"), person }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      milliseconds: fc.constantFrom(second, overlap, overlap + 1, 61 * second, 15 * 60 * second, day, 14 * day),
    }),
  },
);

class World {
  readonly server: TestServer;
  readonly adminToken: () => Promise<string>;
  readonly sessions: ModelSession[] = [];
  readonly people = new Map<number, { readonly id: number; password: string; isDisabled: boolean }>();

  constructor(server: TestServer, adminToken: () => Promise<string>) {
    this.server = server;
    this.adminToken = adminToken;
  }

  get now(): number {
    return this.server.clock.now();
  }

  email(who: number): string {
    return `person${who}@example.com`;
  }

  started(who: number, body: Record<string, unknown>): void {
    this.sessions.push({
      person: who,
      startedAt: this.now,
      tokens: [{ text: String(body["refresh_token"]), generation: 1 }],
      access: { text: String(body["token"]), expiresAt: this.now + 900 * second },
      usedAt: this.now,
      refreshedAt: 0,
      keys: [],
      isOver: false,
    });
  }

  end(who: number, except?: ModelSession): void {
    for (const one of this.sessions) if (one.person === who && one !== except) one.isOver = true;
  }
}

async function play(world: World, what: Step): Promise<void> {
  switch (what.do) {
    case "wait":
      world.server.clock.advance(what.milliseconds);
      return;
    case "signUp":
      return playSignUp(world, what.person);
    case "logIn":
      return playLogIn(world, what.person);
    case "refresh":
      return playRefresh(world, what);
    case "read":
    case "logOut":
      return playAccess(world, what);
    default:
      return playAccount(world, what.do, what.person);
  }
}

async function playSignUp(world: World, who: number): Promise<void> {
  const body = { email: world.email(who), password: "password" };
  const answer = await world.server.request("POST", "/users/", { body });
  // I1: one account for an address.
  assert.equal(answer.status, world.people.has(who) ? 409 : 201);
  if (answer.status !== 201) return;
  const id = Number(answer.headers["location"]?.split("/").at(-1));
  world.people.set(who, { id, password: "password", isDisabled: false });
  world.started(who, answer.body);
}

async function playLogIn(world: World, who: number): Promise<void> {
  const known = world.people.get(who);
  const body = { email: world.email(who), password: known?.password ?? "password" };
  const answer = await world.server.request("POST", "/auth/login", { body });
  assert.equal(answer.status, known === undefined ? 401 : known.isDisabled ? 403 : 200);
  if (answer.status === 200) world.started(who, answer.body);
}

async function playRefresh(
  world: World,
  { session: index, back, key }: Extract<Step, { do: "refresh" }>,
): Promise<void> {
  const one = world.sessions[index % Math.max(1, world.sessions.length)];
  const token = one?.tokens.at(-1 - back);
  if (one === undefined || token === undefined) return;
  const idempotencyKey = key === 0 ? undefined : `key-${key}`;
  const expected = predict(world, one, token, idempotencyKey);
  const answer = await world.server.request("POST", "/auth/refresh", {
    body: { refresh_token: token.text },
    headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
  });
  assert.equal(answer.status === 200 ? "successor" : answer.body["reason"], expected.answer);
  if (expected.ends) one.isOver = true;
  if (answer.status !== 200) return;
  const successor = String(answer.body["refresh_token"]);
  one.access = { text: String(answer.body["token"]), expiresAt: world.now + 900 * second };
  const newest = one.tokens.at(-1);
  if (token !== newest) {
    // I2: a used token never has a second successor.
    assert.equal(successor, newest?.text);
    return;
  }
  one.keys[token.generation] = idempotencyKey;
  one.tokens.push({ text: successor, generation: token.generation + 1 });
  [one.usedAt, one.refreshedAt] = [world.now, world.now];
}

function predict(
  world: World,
  one: ModelSession,
  token: ModelToken,
  key: string | undefined,
): { answer: string; ends?: true } {
  if (!world.people.has(one.person) || !isOfLivingAccount(world, one)) return { answer: "unknown" };
  if (one.isOver) return { answer: "revoked" };
  if (world.now >= one.startedAt + 90 * day || world.now >= one.usedAt + 14 * day) return { answer: "expired" };
  const usesSince = (one.tokens.at(-1)?.generation ?? 0) - token.generation;
  if (usesSince === 0) return { answer: "successor" };
  const isSameKey = key !== undefined && one.keys[token.generation] === key;
  const age = world.now - one.refreshedAt;
  if (usesSince === 1 && (isSameKey || age <= overlap)) return { answer: "successor" };
  if (usesSince > 1 && isSameKey && age <= 60 * second) return { answer: "reused" };
  return { answer: "reused", ends: true };
}

/** A deleted account's sessions go with it, also when its address signs up anew. */
function isOfLivingAccount(world: World, one: ModelSession): boolean {
  return !deleted.has(one) && world.people.has(one.person);
}

const deleted = new WeakSet<ModelSession>();

async function playAccess(world: World, what: Extract<Step, { do: "read" | "logOut" }>): Promise<void> {
  const one = world.sessions[what.session % Math.max(1, world.sessions.length)];
  if (one === undefined) return;
  const [method, url] = what.do === "read" ? (["GET", "/users/me"] as const) : (["POST", "/auth/logout"] as const);
  const answer = await world.server.request(method, url, { token: one.access.text });
  // I3: nothing succeeds after its end. I5: no token is valid past exp.
  const isExpired = world.now >= one.access.expiresAt;
  const isOver = one.isOver || deleted.has(one) || world.now >= one.startedAt + 90 * day;
  const expected = isExpired ? "token-expired" : isOver ? "session-ended" : undefined;
  assert.equal(answer.body["code"], expected);
  if (what.do === "logOut" && expected === undefined) one.isOver = true;
}

async function playAccount(
  world: World,
  what: "changePassword" | "disable" | "enable" | "delete",
  who: number,
): Promise<void> {
  const known = world.people.get(who);
  if (known === undefined) return;
  if (what === "changePassword") {
    const mine = world.sessions.findLast((one) => one.person === who && !one.isOver && !deleted.has(one));
    if (mine === undefined || world.now >= mine.access.expiresAt || world.now >= mine.startedAt + 90 * day) return;
    const next = `${known.password}+`.slice(-60);
    const body = { current_password: known.password, new_password: next };
    const answer = await world.server.request("PUT", "/users/me/password", { token: mine.access.text, body });
    assert.equal(answer.status, 204);
    known.password = next;
    world.end(who, mine);
    return;
  }
  const token = await world.adminToken();
  if (what === "delete") {
    assert.equal((await world.server.request("DELETE", `/users/${known.id}`, { token })).status, 204);
    for (const one of world.sessions) if (one.person === who) deleted.add(one);
    world.people.delete(who);
    return;
  }
  const body = { disabled: what === "disable" };
  assert.equal((await world.server.request("PATCH", `/admin/users/${known.id}`, { token, body })).status, 200);
  known.isDisabled = body.disabled;
  if (known.isDisabled) world.end(who);
}

/** I7: what was acknowledged stands in the audit log, and nothing that was not. */
async function checkAudit(world: World): Promise<void> {
  const events = await world.server.events();
  const count = (type: string): number => events.filter((one) => one === type).length;
  assert.equal(count("account/deleted"), await deletedAccounts(world, count("account/created")));
}

async function deletedAccounts(world: World, created: number): Promise<number> {
  const { accounts } = await world.server.platform.db
    .selectFrom("accounts")
    .select(({ fn }) => fn.countAll<number>().as("accounts"))
    .executeTakeFirstOrThrow();
  return created - accounts;
}

test("random histories of accounts and sessions go as the model says", { timeout: 120_000 }, async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const server = await createTestServer();
      const admin = await server.administrator();
      const world = new World(server, () => server.logIn(admin.email, admin.password));
      for (const one of steps) await play(world, one);
      await checkAudit(world);
      await server.app.close();
    }),
    { numRuns: 80, seed },
  );
});
