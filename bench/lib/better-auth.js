// Better Auth as it is compared: on the SQLite of Node with the settings of Tollgate's, passwords hashed alike, its
// limit off as Tollgate's is, nothing told to anybody. All else is as its documentation sets it up. JavaScript, for it
// is a package of bench/ alone, which the type check of the whole does not have.
import { createHmac, randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";

const secret = "0b5fd1c87f3e4a92b6c10de8a7944f21c3e8";
const argon2id = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const cookieName = "better-auth.session_token";

/** @param {{ baseURL: string, cookieCache?: boolean, updateAge?: number }} options */
export function openBetterAuth(file, { baseURL, cookieCache = false, updateAge }) {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000");
  const options = {
    baseURL,
    secret,
    database,
    emailAndPassword: {
      enabled: true,
      password: {
        hash: (password) => hash(password, argon2id),
        verify: ({ hash: phc, password }) => verify(phc, password),
      },
    },
    session: { cookieCache: { enabled: cookieCache, maxAge: 3600 }, ...(updateAge === undefined ? {} : { updateAge }) },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: "error" },
  };
  return { auth: betterAuth(options), options, database };
}

/**
 * So many users with a session each, in a new file: one signs up, the others get the same rows but for their keys.
 *
 * @returns {Promise<readonly string[]>} the cookie of each session
 */
export async function seedBetterAuth(file, { users, emailOf, password }) {
  const { auth, options, database } = openBetterAuth(file, { baseURL: "http://127.0.0.1" });
  await (await getMigrations(options)).runMigrations();
  await auth.api.signUpEmail({ body: { email: emailOf(0), password, name: "User" } });
  const insertCopyOf = (table) => {
    const row = database.prepare(`select * from "${table}"`).get();
    const columns = Object.keys(row);
    const insert = database.prepare(
      `insert into "${table}" (${columns.map((column) => `"${column}"`)}) values (${columns.map(() => "?")})`,
    );
    return (changes) => insert.run(...Object.values({ ...row, ...changes }));
  };
  const [insertUser, insertAccount, insertSession] = ["user", "account", "session"].map(insertCopyOf);
  const tokens = [database.prepare("select token from session").get().token];
  database.exec("begin");
  for (let index = 1; index < users; index += 1) {
    const [userId, token] = [newId(), newId()];
    insertUser({ id: userId, email: emailOf(index) });
    insertAccount({ id: newId(), accountId: userId, userId });
    insertSession({ id: newId(), token, userId });
    tokens.push(token);
  }
  database.exec("commit");
  database.close();
  return tokens.map(cookieOf);
}

/** 32 characters, as its own ids and tokens have. */
function newId() {
  return randomBytes(16).toString("hex");
}

/** As its server signs them. */
function cookieOf(token) {
  const signature = createHmac("sha256", secret).update(token).digest("base64");
  return `${cookieName}=${encodeURIComponent(`${token}.${signature}`)}`;
}
