import { createCluster, findPostgres, query } from "../../test/support/postgres-cluster.ts";
import type { Bench, Benchmark } from "../lib/benchmark.ts";
import { interleaved, requestRows } from "../lib/compare.ts";
import { load } from "../lib/load.ts";
import { cores, pinnedChildren } from "../lib/machine.ts";
import { seedInto } from "../lib/seed.ts";
import { answerOf, fileOf, startScript, startTollgate } from "../lib/servers.ts";

const users = 100_000;
const tokenCount = 1_000;
const connections = 64;
/** Those that DATABASE_POOL has when nothing is said. */
const poolConnections = 10;

export const mePostgres: Benchmark = {
  name: "me-postgres",
  about: "GET /users/me from PostgreSQL, against a bare node:http server that asks it for the same row",
  run: async (bench) => {
    const programs = findPostgres();
    if (programs === undefined) return { rows: [], notes: ["There is no PostgreSQL here: not measured."] };
    // Where the load is: whatever it takes, it takes from both sides alike.
    const cluster = await pinnedChildren(cores.load, () =>
      createCluster(programs, { settings: { shared_buffers: "256MB" } }),
    );
    try {
      return await measure(bench, await cluster.makeDatabase());
    } finally {
      await cluster.stop();
    }
  },
};

async function measure({ say, seconds, rounds }: Bench, databaseUrl: string) {
  const { accessTokens: tokens } = await seedInto(databaseUrl, tokenCount, () => undefined);
  say(`${users} accounts`);
  await query(databaseUrl, manyAccounts);
  await query(databaseUrl, "vacuum analyze");
  const tollgate = await startTollgate(databaseUrl, { port: 8513, core: cores.server });
  const answer = await answerOf(`${tollgate.url}/users/me`, tokens[0] ?? "");
  const sessions = await query<{ id: string }>(databaseUrl, `select id from sessions limit ${tokenCount}`);
  const values = sessions.map(({ id }) => id);
  const asked = { databaseUrl, connections: poolConnections, text: oneRow, values };
  const bare = await startScript("bare-postgres.ts", {
    port: 8514,
    core: cores.server,
    args: [fileOf({ ...answer, ...asked })],
  });
  try {
    say(`${rounds} times ${seconds} s each, after one to warm up`);
    const run = (url: string) => load({ url, connections, seconds, tokens });
    const { a, b } = await interleaved(rounds, { a: () => run(`${tollgate.url}/users/me`), b: () => run(bare.url) });
    return { rows: requestRows(a, b, { againstWhat: "bare node:http with pg", atLeast: 0.8 }) };
  } finally {
    await Promise.all([tollgate.stop(), bare.stop()]);
  }
}

/** What Tollgate asks for: the session and its account. */
const oneRow = `select accounts.*, sessions.authenticated_at, sessions.expires_at, sessions.ended_at
  from sessions inner join accounts on accounts.id = sessions.account_id where sessions.id = $1`;

/** One by one they would take minutes. Each has a session, as those of `seedInto` have. */
const manyAccounts = `with made as (
    insert into accounts (email, email_canonical, password_hash, role, created_at)
    select 'more' || n || '@example.com', 'more' || n || '@example.com', password_hash, role, created_at
    from (select password_hash, role, created_at from accounts limit 1) as one, generate_series(1, ${users - tokenCount}) as n
    returning id)
  insert into sessions (id, account_id, created_at, authenticated_at, last_used_at, expires_at, address, refresh_secret,
    refresh_generation, refresh_key_tags)
  select md5('session' || made.id), made.id, created_at, authenticated_at, last_used_at, expires_at, address, refresh_secret,
    refresh_generation, refresh_key_tags from made, (select * from sessions limit 1) as one`;
