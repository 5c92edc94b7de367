import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import fc from "fast-check";
import { isOnPostgres, sharedDatabase } from "../support/test-database.ts";
import { createTestServer, type Answer, type SignedIn, type TestServer } from "../support/test-server.ts";

/**
 * What a server with two people's accounts and sessions must answer, in a few lines: the model that random histories of
 * sessions-model.test.ts are held against (security.md, "Invariants a history checker proves", I1 to I8).
 */

const second = 1000;
const hour = 3600 * second;
const day = 86_400 * second;
const overlap = 10 * second;
const guessesMax = 3;
const guessWindow = 15 * 60 * second;

const env = { SECRET_KEY: "0123456789abcdef0123456789abcdef", LIMIT_LOGIN_ACCOUNT: "3/15m" };

type ModelAccess = { readonly text: string; readonly issuedAt: number; readonly expiresAt: number };
type ModelToken = { readonly text: string; readonly generation: number };
type ModelSession = {
  readonly person: number;
  readonly startedAt: number;
  readonly tokens: ModelToken[];
  readonly accesses: ModelAccess[];
  usedAt: number;
  refreshedAt: number;
  /** By which key each generation was used. */
  readonly keys: (string | undefined)[];
  isOver: boolean;
  /** Gone with its account, also when the address signs up anew. */
  isDeleted: boolean;
};

type Person = {
  readonly id: number;
  password: string;
  isDisabled: boolean;
  mustChange: boolean;
  /** The device token of the newest sign-in. */
  device: string;
};

type AccountStep = "changePassword" | "disable" | "enable" | "require" | "waive" | "delete";

type Step =
  | { readonly do: "signUp" | AccountStep; readonly person: number }
  | { readonly do: "logIn" | "logInAnew"; readonly person: number; readonly fromDevice: boolean }
  | { readonly do: "guess"; readonly person: number; readonly fromDevice: boolean; readonly count: number }
  | { readonly do: "refresh"; readonly session: number; readonly back: number; readonly key: number }
  | { readonly do: "logOut" | "read"; readonly session: number; readonly back: number }
  | { readonly do: "wait" | "jump"; readonly milliseconds: number }
  | { readonly do: "crash" | "outage" };

const person = fc.nat(1);
/** Counted from the newest. */
const session = fc.nat(3);
const wait = (...milliseconds: number[]) =>
  fc.record({ do: fc.constant("wait" as const), milliseconds: fc.constantFrom(...milliseconds) });
const fromDevice = fc.boolean();
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("signUp" as const), person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("logIn" as const), person, fromDevice }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("logInAnew" as const), person, fromDevice }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("guess" as const),
      person,
      fromDevice,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({ do: fc.constant("refresh" as const), session, back: fc.nat(2), key: fc.nat(2) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("read" as const), session, back: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("logOut" as const), session, back: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom<AccountStep>(
        ...(["changePassword", "changePassword", "disable", "enable", "enable"] as const),
        ...(["require", "require", "waive", "delete"] as const),
      ),
      person,
    }),
  },
  { weight: 4, arbitrary: wait(second, overlap, overlap + 1, 61 * second) },
  { weight: 1, arbitrary: wait(guessWindow - second, guessWindow, day, 14 * day) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("crash" as const, "outage") }) },
  {
    // Somebody sets the machine's clock (X11).
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("jump" as const), milliseconds: fc.constantFrom(day, -30 * second, -hour) }),
  },
);

export class World {
  server: TestServer;
  readonly administrator: SignedIn;
  readonly sessions: ModelSession[] = [];
  /** I7: the types of the events that must stand in the audit log, in any order within one request. */
  readonly events: string[] = [];
  readonly people = new Map<number, Person>();
  /** I6: by lane, when wrong passwords were looked at. */
  private readonly guesses = new Map<string, number[]>();
  private url: string;
  private readonly cleanups: (() => Promise<void> | void)[];

  private constructor(url: string, server: TestServer, administrator: SignedIn, cleanups: World["cleanups"]) {
    this.url = url;
    this.server = server;
    this.administrator = administrator;
    this.cleanups = cleanups;
  }

  static async open(): Promise<World> {
    const cleanups: World["cleanups"] = [];
    const url = await sharedDatabase({ after: (work) => void cleanups.push(work) });
    const server = await createTestServer({ ...env, DATABASE_URL: url });
    return new World(url, server, await server.administrator(), [...cleanups, server.close]);
  }

  /** The last one opened first: a database goes after its servers. */
  async close(): Promise<void> {
    for (const cleanup of this.cleanups.toReversed()) await cleanup();
  }

  /** I4: another server on the database as it is at this moment. The old one never gets to tidy up. */
  async crash(): Promise<void> {
    if (!isOnPostgres) this.url = await this.imageOfFile();
    this.server = await createTestServer({ ...env, DATABASE_URL: this.url }, { clock: this.server.clock });
    this.cleanups.push(this.server.close);
    this.guesses.clear(); // Counted in memory; with Redis they outlive a process.
  }

  /** What `kill -9` leaves: SQLite's file with its log. */
  private async imageOfFile(): Promise<string> {
    const url = await sharedDatabase({ after: (work) => void this.cleanups.push(work) });
    for (const file of ["", "-wal"]) copyFileSync(pathOf(this.url) + file, pathOf(url) + file);
    return url;
  }

  guessesLeft(lane: string): number {
    const since = this.server.clock.monotonicNow() - guessWindow;
    return guessesMax - (this.guesses.get(lane) ?? []).filter((at) => at > since).length;
  }

  guessed(lane: string): void {
    this.guesses.set(lane, [...(this.guesses.get(lane) ?? []), this.server.clock.monotonicNow()]);
  }

  async administratorToken(): Promise<string> {
    this.events.push("session/started");
    return this.server.logIn(this.administrator.email, this.administrator.password);
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
      accesses: [this.access(body)],
      usedAt: this.now,
      refreshedAt: 0,
      keys: [],
      isOver: false,
      isDeleted: false,
    });
    this.events.push("session/started");
  }

  access(body: Record<string, unknown>): ModelAccess {
    const issuedAt = Math.floor(this.now / second) * second;
    return { text: String(body["token"]), issuedAt, expiresAt: issuedAt + 900 * second };
  }

  /** All sessions of one end, in one event. */
  end(who: number, except?: ModelSession): void {
    const living = this.sessions.filter((one) => one.person === who && !one.isOver && !one.isDeleted);
    const ended = living.filter((one) => one !== except);
    for (const one of ended) one.isOver = true;
    if (ended.length > 0) this.events.push("session/ended");
  }
}

function pathOf(url: string): string {
  return url.slice("sqlite:".length);
}

export async function play(world: World, what: Step): Promise<void> {
  switch (what.do) {
    case "wait":
      world.server.clock.advance(what.milliseconds);
      return;
    case "jump":
      world.server.clock.jump(what.milliseconds);
      return;
    case "signUp":
      return playSignUp(world, what.person);
    case "logIn":
    case "logInAnew":
      return playLogIn(world, what);
    case "guess":
      return playGuesses(world, what);
    case "crash":
      return world.crash();
    case "outage":
      return playOutage(world);
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
  const device = String(answer.body["device_token"]);
  world.people.set(who, { id, password: "password", isDisabled: false, mustChange: false, device });
  world.events.push("account/created");
  world.started(who, answer.body);
}

async function playLogIn(world: World, what: Extract<Step, { do: "logIn" | "logInAnew" }>): Promise<void> {
  const known = world.people.get(what.person);
  const password = known?.password ?? "password";
  const { lane, ...credentials } = credentialsOf(world, what);
  const next = what.do === "logInAnew" ? { new_password: `${password}+` } : {};
  const answer = await world.server.request("POST", "/auth/login", { body: { ...credentials, password, ...next } });
  const isWaiting = world.guessesLeft(lane) <= 0;
  assert.equal(answer.body["code"], isWaiting ? "too-many-requests" : refusalOfLogIn(known, what.do));
  if (answer.body["code"] === "wrong-credentials") world.guessed(lane);
  if (answer.status !== 200) return;
  assert.ok(known);
  known.device = String(answer.body["device_token"]);
  if (what.do === "logInAnew") {
    known.password = `${password}+`;
    known.mustChange = false;
    world.events.push("password/changed");
  }
  world.started(what.person, answer.body);
}

/** Who has signed in before is counted apart from strangers. */
function credentialsOf(
  world: World,
  { person, fromDevice }: { readonly person: number; readonly fromDevice: boolean },
) {
  const email = world.email(person);
  const device = fromDevice ? world.people.get(person)?.device : undefined;
  return { email, lane: device ?? email, ...(device === undefined ? {} : { device_token: device }) };
}

function refusalOfLogIn(known: Person | undefined, how: "logIn" | "logInAnew"): string | undefined {
  if (known === undefined) return "wrong-credentials";
  if (how === "logInAnew" && !known.mustChange) return "validation-failed";
  if (known.isDisabled) return "account-disabled";
  return how === "logIn" && known.mustChange ? "password-change-required" : undefined;
}

/** I6: at once or one by one, so many wrong passwords are looked at in a window, and no more. */
async function playGuesses(world: World, what: Extract<Step, { do: "guess" }>): Promise<void> {
  const { lane, ...credentials } = credentialsOf(world, what);
  const left = Math.max(0, world.guessesLeft(lane));
  const answers = await Promise.all(
    Array.from({ length: what.count }, (_, index) =>
      world.server.request("POST", "/auth/login", { body: { ...credentials, password: `not ${index}` } }),
    ),
  );
  const lookedAt = answers.filter(({ body }) => body["code"] === "wrong-credentials").length;
  const refused = answers.filter(({ body }) => body["code"] === "too-many-requests").length;
  assert.deepEqual(
    { lookedAt, refused },
    { lookedAt: Math.min(left, what.count), refused: Math.max(0, what.count - left) },
  );
  for (let count = 0; count < lookedAt; count += 1) world.guessed(lane);
}

/** I8: with the database away each request is refused and leaves nothing; afterwards the very next one is answered. */
async function playOutage(world: World): Promise<void> {
  const outage = world.server.platform.switches?.outage;
  assert.ok(outage);
  const one = world.sessions.at(-1);
  const access = one?.accesses.at(-1);
  outage.begin(day);
  const { request } = world.server;
  const body = { email: world.email(0), password: "password" };
  assertAway(await request("POST", "/users/", { body }));
  assertAway(await request("POST", "/auth/login", { body }));
  if (one && access) {
    assertAway(await request("POST", "/auth/refresh", { body: { refresh_token: one.tokens.at(-1)?.text } }));
    const refusal = refusalOf(world, one, access);
    for (const [method, url] of [
      ["GET", "/users/me"],
      ["POST", "/auth/logout"],
    ] as const) {
      const answer = await request(method, url, { token: access.text });
      if (refusal?.startsWith("token-")) assert.equal(answer.body["code"], refusal);
      else assertAway(answer);
    }
  }
  outage.end();
  assert.equal((await request("GET", "/health/ready")).status, 200);
}

function assertAway({ status, body }: Answer): void {
  assert.deepEqual({ status, code: body["code"] }, { status: 503, code: "database-unavailable" });
}

async function playRefresh(
  world: World,
  { session: index, back, key }: Extract<Step, { do: "refresh" }>,
): Promise<void> {
  const one = world.sessions.at(-1 - index);
  const token = one?.tokens.at(-1 - back);
  if (one === undefined || token === undefined) return;
  const idempotencyKey = key === 0 ? undefined : `key-${key}`;
  const expected = predict(world, one, token, idempotencyKey);
  const answer = await world.server.request("POST", "/auth/refresh", {
    body: { refresh_token: token.text },
    headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
  });
  assert.equal(answer.status === 200 ? "successor" : answer.body["reason"], expected.answer);
  if (expected.event) world.events.push(expected.event);
  if (expected.event === "session/refresh-reused") one.isOver = true;
  if (answer.status !== 200) return;
  const successor = String(answer.body["refresh_token"]);
  one.accesses.push(world.access(answer.body));
  const newest = one.tokens.at(-1);
  if (token !== newest) {
    // I2: a used token never has a second successor.
    assert.equal(successor, newest?.text);
    return;
  }
  // Only a burst is remembered: with a minute between two uses, the older keys are forgotten.
  if (world.now - one.refreshedAt > 60 * second) one.keys.length = 0;
  one.keys[token.generation] = idempotencyKey;
  one.tokens.push({ text: successor, generation: token.generation + 1 });
  [one.usedAt, one.refreshedAt] = [world.now, world.now];
}

function predict(
  world: World,
  one: ModelSession,
  token: ModelToken,
  key: string | undefined,
): { readonly answer: string; readonly event?: string } {
  if (one.isDeleted) return { answer: "unknown" };
  if (one.isOver) return { answer: "revoked" };
  if (world.now >= one.startedAt + 90 * day || world.now >= one.usedAt + 14 * day)
    return { answer: "expired", event: "session/expired" };
  const refreshed = { answer: "successor", event: "session/refreshed" };
  const usesSince = (one.tokens.at(-1)?.generation ?? 0) - token.generation;
  if (usesSince === 0) return refreshed;
  const isSameKey = key !== undefined && one.keys[token.generation] === key;
  const age = world.now - one.refreshedAt;
  if (usesSince === 1 && (isSameKey || Math.abs(age) <= overlap)) return refreshed;
  if (usesSince > 1 && isSameKey && age <= 60 * second) return { answer: "reused" };
  return { answer: "reused", event: "session/refresh-reused" };
}

/** I3: nothing succeeds after its end. I5: no token is valid past exp. Which code refuses this one, if any? */
function refusalOf(world: World, one: ModelSession, access: ModelAccess): string | undefined {
  if (world.now >= access.expiresAt) return "token-expired";
  if (access.issuedAt > world.now + 60 * second) return "token-invalid";
  return one.isOver || one.isDeleted || world.now >= one.startedAt + 90 * day ? "session-ended" : undefined;
}

async function playAccess(world: World, what: Extract<Step, { do: "read" | "logOut" }>): Promise<void> {
  const one = world.sessions.at(-1 - what.session);
  const access = one?.accesses.at(-1 - what.back);
  if (one === undefined || access === undefined) return;
  const [method, url] = what.do === "read" ? (["GET", "/users/me"] as const) : (["POST", "/auth/logout"] as const);
  const answer = await world.server.request(method, url, { token: access.text });
  const expected = refusalOf(world, one, access);
  assert.equal(answer.body["code"], expected);
  assert.equal(answer.status, expected ? 401 : what.do === "read" ? 200 : 204);
  if (what.do === "read" || expected) return;
  one.isOver = true;
  world.events.push("session/ended");
}

async function playAccount(world: World, what: AccountStep, who: number): Promise<void> {
  const known = world.people.get(who);
  if (known === undefined) return;
  if (what === "changePassword") return playPassword(world, who, known);
  const token = await world.administratorToken();
  if (what === "delete") {
    assert.equal((await world.server.request("DELETE", `/users/${known.id}`, { token })).status, 204);
    for (const one of world.sessions) if (one.person === who) one.isDeleted = true;
    world.people.delete(who);
    world.events.push("account/deleted");
    return;
  }
  const change = (body: object) => world.server.request("PATCH", `/admin/users/${known.id}`, { token, body });
  const isOn = what === "disable" || what === "require";
  if (what === "disable" || what === "enable") {
    assert.equal((await change({ disabled: isOn })).body["disabled"], isOn);
    if (known.isDisabled === isOn) return;
    known.isDisabled = isOn;
    world.events.push(isOn ? "account/disabled" : "account/enabled");
  } else {
    assert.equal((await change({ password_change_required: isOn })).body["password_change_required"], isOn);
    if (known.mustChange === isOn) return;
    known.mustChange = isOn;
    world.events.push(isOn ? "password/change-required" : "password/change-waived");
  }
  if (isOn) world.end(who);
}

async function playPassword(world: World, who: number, known: Person): Promise<void> {
  const mine = world.sessions.findLast((one) => one.person === who && !one.isOver && !one.isDeleted);
  const access = mine?.accesses.at(-1);
  if (mine === undefined || access === undefined) return;
  const next = `${known.password}+`;
  const answer = await world.server.request("PUT", "/users/me/password", {
    token: access.text,
    body: { current_password: known.password, new_password: next },
  });
  const expected = refusalOf(world, mine, access);
  assert.equal(answer.body["code"], expected);
  if (expected) return;
  known.password = next;
  world.events.push("password/changed");
  world.end(who, mine);
}
