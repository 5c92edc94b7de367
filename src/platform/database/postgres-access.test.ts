/** Who is let in, and over what: TLS by sslmode, passwords, and what is said when it does not work. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { sql } from "kysely";
import { query, testWithPostgres } from "../../../test/support/postgres-cluster.ts";
import { freePort } from "../../../test/support/server-process.ts";
import { certificatePath, keyPath } from "../../../test/support/smtp-relay.ts";
import { openUrl } from "../../../test/support/test-database.ts";
import { StartError } from "../start-error.ts";

const port = await freePort();
const testOnPostgres = testWithPostgres({
  port,
  settings: { ssl: "on", listen_addresses: "127.0.0.1,127.0.0.2" },
  // The certificate is for localhost and 127.0.0.1, signed by itself.
  files: { "server.crt": readFileSync(certificatePath, "utf8"), "server.key": readFileSync(keyPath, "utf8") },
  access: ["local all all trust", "hostssl all ada 127.0.0.0/8 scram-sha-256", "hostnossl all bob 127.0.0.0/8 trust"],
});

async function sentenceOf(url: string): Promise<string> {
  const error: unknown = await openUrl(url).then(
    () => assert.fail(`it should not have opened: ${url}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StartError, String(error));
  assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hunter2|wrong/);
  return error.message;
}

testOnPostgres(
  "the way to the server is as sslmode says, and a certificate that nobody vouches for is refused",
  async (_t, cluster) => {
    const database = new URL(await cluster.makeDatabase()).pathname;
    await query(cluster.url("postgres"), "create role ada superuser login password 'hunter2 #/?@:%'");
    const ada = `postgres://ada:${encodeURIComponent("hunter2 #/?@:%")}@`;
    const urlOf = (host: string, search: string): string => `${ada}${host}:${port}${database}${search}`;
    for (const [host, search] of [
      ["localhost", "?sslmode=require"],
      ["localhost", `?sslmode=verify-full&sslrootcert=${certificatePath}`],
      ["127.0.0.1", `?sslmode=verify-full&sslrootcert=${certificatePath}`],
      ["127.0.0.1", `?sslmode=verify-ca&sslrootcert=${certificatePath}`],
      ["127.0.0.2", `?sslmode=verify-ca&sslrootcert=${certificatePath}`],
      ["localhost", `?sslrootcert=${certificatePath}`],
    ] as const) {
      await using db = await openUrl(urlOf(host, search));
      const { rows } = await sql<{ ssl: 0 | 1 }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(db);
      assert.equal(rows[0]?.ssl, 1, search);
    }
    assert.match(await sentenceOf(urlOf("localhost", "?sslmode=verify-full")), /self-signed certificate/);
    // An address that is not in the certificate.
    const other = `?sslmode=verify-full&sslrootcert=${certificatePath}`;
    assert.match(await sentenceOf(urlOf("127.0.0.2", other)), /does not match certificate/);
    assert.match(
      await sentenceOf(urlOf("localhost", "?sslmode=verify-full&sslrootcert=/nowhere.pem")),
      /\/nowhere\.pem/,
    );
    assert.match(await sentenceOf(urlOf("localhost", "?sslmode=disable")), /does not let us in .*no encryption/);
    assert.match(
      await sentenceOf(urlOf("localhost", "?sslmode=require").replace("hunter2", "wrong")),
      /password of DATABASE_URL/,
    );
    assert.match(await sentenceOf(`postgres://bob@127.0.0.1:${port}${database}?sslmode=require`), /does not let us in/);
  },
);

testOnPostgres("a password comes from DATABASE_URL and from nowhere else", async (t, cluster) => {
  await query(cluster.url("postgres"), "alter role ada password 'hunter2'");
  t.mock.property(process, "env", { ...process.env, PGPASSWORD: "hunter2", PGUSER: "ada" });
  const url = `postgres://ada@127.0.0.1:${port}/postgres?sslmode=require`;
  assert.match(await sentenceOf(url), /^PostgreSQL wants a password /);
});
