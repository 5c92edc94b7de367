import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { buildApp, type App } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { createAdministrator } from "../../src/features/administration/administration.ts";
import { closePlatform, createPlatform, type Platform } from "../../src/platform/platform.ts";
import { createContractCheck, type OpenApi } from "./contract-check.ts";
import { readMail, type ReadMail } from "./mail-reading.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";
import { withConflicts } from "./conflicts.ts";
import { makeDatabase } from "./test-database.ts";

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; an empty one is an empty object. */
  readonly body: Record<string, unknown>;
};

export type RequestOptions = {
  readonly body?: unknown;
  /** Sent as it is, with this content type. */
  readonly raw?: { readonly contentType?: string; readonly text: string | Buffer };
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly address?: string;
};

export type SignedIn = {
  readonly id: number;
  readonly email: string;
  readonly password: string;
  readonly token: string;
};

export type TestServer = {
  readonly app: App;
  readonly platform: Platform;
  readonly clock: TestClock;
  readonly request: (method: string, url: string, options?: RequestOptions) => Promise<Answer>;
  readonly signUp: (email: string, password?: string) => Promise<SignedIn>;
  readonly logIn: (email: string, password: string) => Promise<string>;
  readonly administrator: (email?: string) => Promise<SignedIn>;
  /** Before the test ends, which does it otherwise. */
  readonly close: () => Promise<void>;
  /** Sends what is in the outbox, and gives what has come to the development inbox, oldest first. */
  readonly mails: () => Promise<readonly ReadMail[]>;
  /** The types of all events so far, oldest first. */
  readonly events: () => Promise<readonly string[]>;
};

/** Parts of the platform that a test brings along; a clock must be one that can be turned. */
export type TestParts = Partial<Platform> & { readonly clock?: TestClock };

/** Cheap hashes, no limits but those a test names, patience with a slow machine: what most scenarios need. */
const quick: Record<string, string> = {
  DATABASE_WAIT: "30s",
  DATABASE_TIMEOUT: "60s",
  ARGON2_MEMORY_KIB: "8",
  ARGON2_PASSES: "1",
  // A busy machine is not what is tested.
  HASH_DEADLINE: "60s",
  LOG_LEVEL: "silent",
  LIMIT_SIGN_UP: "off",
  LIMIT_LOGIN_ADDRESS: "off",
  LIMIT_LOGIN_ACCOUNT: "off",
  LIMIT_REFRESH: "off",
  LIMIT_API: "off",
  LIMIT_MAIL_ADDRESS: "off",
  LIMIT_MAIL_ACCOUNT: "off",
  LIMIT_MAIL_PROOF: "off",
};

/** The text of an answer. Of one without an end only the head is looked at. */
async function textOf(stream: Readable, headers: Readonly<Record<string, string>>): Promise<string> {
  if (!headers["content-type"]?.startsWith("text/event-stream")) return text(stream);
  stream.on("error", () => undefined).destroy();
  return "";
}

/** Those of this file that are open still. What is closed is forgotten, for a test may make hundreds. */
const open = new Set<() => Promise<void>>();
after(() => Promise.all(Array.from(open, (close) => close())));

function closeOnce(work: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= work().finally(() => open.delete(close)));
  open.add(close);
  return close;
}

const hasConflicts = process.env["TEST_CONFLICTS"] === "1";

/**
 * The whole server without a socket, on an empty database of this run. Each answer is held against the OpenAPI
 * document. Closed when the test file ends.
 *
 * With TEST_CONFLICTS=1 every other transaction is undone by a made-up conflict and done again. On PostgreSQL that
 * leaves gaps between the numbers of accounts: `conflicts: false` for a test that says which they are.
 */
export async function createTestServer(
  env: Record<string, string> = {},
  parts: TestParts = {},
  { conflicts = hasConflicts }: { readonly conflicts?: boolean } = {},
): Promise<TestServer> {
  const database = env["DATABASE_URL"] === undefined ? await makeDatabase() : undefined;
  const read = readConfig({ ...quick, ...(database && { DATABASE_URL: database.url }), ...env });
  assert.ok(read.ok, read.ok ? "" : read.faults.join("\n"));
  const clock = parts.clock ?? createTestClock();
  const platform = await createPlatform(read.config, { ...parts, clock });
  if (conflicts) Object.assign(platform, { db: withConflicts(platform.db) });
  const app = await buildApp(platform);
  await app.ready();
  const close = closeOnce(async () => {
    await app.close();
    await closePlatform(platform);
    await database?.remove();
  });
  const check = createContractCheck(app.swagger() as unknown as OpenApi);

  const request: TestServer["request"] = async (method, url, options = {}) => {
    const { body, raw, token, headers, address = "203.0.113.7" } = options;
    const response = await app.inject({
      method: method as "GET",
      url,
      remoteAddress: address,
      headers: {
        ...(raw?.contentType === undefined ? {} : { "content-type": raw.contentType }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(raw ? { payload: raw.text } : body === undefined ? {} : { payload: body as object }),
      payloadAsStream: true,
    });
    const answered = response.headers as Record<string, string>;
    const answer = { status: response.statusCode, headers: answered, text: await textOf(response.stream(), answered) };
    check({ method, url, ...answer });
    const isJson = /json/.test(answer.headers["content-type"] ?? "") && answer.text !== "";
    return { ...answer, body: isJson ? (JSON.parse(answer.text) as Record<string, unknown>) : {} };
  };
  const logIn: TestServer["logIn"] = async (email, password) => {
    const { status, body, text } = await request("POST", "/auth/login", { body: { email, password } });
    assert.equal(status, 200, text);
    return String(body["token"]);
  };
  return {
    app,
    platform,
    clock,
    close,
    request,
    logIn,
    signUp: async (email, password = "correct horse battery staple") => {
      const { status, headers, body, text } = await request("POST", "/users/", { body: { email, password } });
      assert.equal(status, 201, text);
      return { id: Number(headers["location"]?.split("/").at(-1)), email, password, token: String(body["token"]) };
    },
    administrator: async (email = "admin@example.com") => {
      const made = await createAdministrator(platform, email);
      assert.equal(made.outcome, "created");
      const password = made.outcome === "created" ? made.password : "";
      const token = await logIn(email, password);
      const { body } = await request("GET", "/users/me", { token });
      return { id: Number(body["id"]), email, password, token };
    },
    mails: async () => {
      await app.deliverMail();
      return (platform.mailer?.inbox?.mails() ?? []).map(readMail).toReversed();
    },
    events: async () => {
      const rows = await platform.db.selectFrom("events").select("type").orderBy("id").execute();
      return rows.map(({ type }) => type);
    },
  };
}
