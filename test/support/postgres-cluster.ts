import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";

/** A PostgreSQL server of our own: nothing of it outlives the process that started it. */
export type PostgresCluster = {
  /** The path of its Unix socket. */
  readonly socket: string;
  /** The DATABASE_URL of one of its databases. */
  readonly url: (database: string) => string;
  /** An empty database; its DATABASE_URL. */
  readonly makeDatabase: () => Promise<string>;
  /** kill -9 of the postmaster. */
  readonly kill: () => Promise<void>;
  /** Again, after a kill. */
  readonly start: () => Promise<void>;
  /** SIGSTOP for every process of the server, the postmaster only if it is named; gives back how to let them go on. */
  readonly freeze: (which: "backends" | "everything") => () => void;
  /** From a standby to a primary. */
  readonly promote: () => Promise<void>;
  /** How many sessions clients have. */
  readonly sessions: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

const user = "tollgate";
const startMillisecondsMax = 20_000;
const pollMilliseconds = 20;
const settings = {
  // A throw-away server need not survive a power cut.
  fsync: "off",
  full_page_writes: "off",
  max_connections: "400",
  shared_buffers: "32MB",
};

/** The folder of the newest server's programs, Debian's place first; undefined when there is none. */
export function findPostgres(): string | undefined {
  const versionOf = (path: string): number => Number(/postgresql\/(\d+)\//.exec(path)?.[1] ?? 0);
  const debian = globSync("/usr/lib/postgresql/*/bin/postgres").sort((a, b) => versionOf(b) - versionOf(a));
  const inPath = (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => globSync(join(folder, "postgres")));
  const [found] = [...debian, ...inPath];
  return found === undefined ? undefined : dirname(found);
}

/**
 * `test` for those that need PostgreSQL: one server for all of the file, started by the first. Without PostgreSQL they
 * are skipped; REQUIRE_SERVICES=1 makes that a failure.
 */
export function testWithPostgres(options: ClusterOptions = {}) {
  let starting: Promise<PostgresCluster> | undefined;
  after(async () => (await starting)?.stop());
  return (name: string, work: (t: TestContext, cluster: PostgresCluster) => Promise<void>): void => {
    void test(name, async (t) => {
      const programs = findPostgres();
      if (programs === undefined) {
        if (process.env["REQUIRE_SERVICES"] === "1") throw new Error("postgres is missing");
        t.skip("skipped: no postgres");
        return;
      }
      await work(t, await (starting ??= createCluster(programs, options)));
    });
  };
}

export type ClusterOptions = {
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf: who may come in how. Else whoever reaches the socket. */
  readonly access?: readonly string[];
  /** On 127.0.0.1 as well. */
  readonly port?: number;
  /** A copy of that one, which follows it. */
  readonly standbyOf?: PostgresCluster;
  /** More files in the data directory, for the server alone to read: name → content. */
  readonly files?: Readonly<Record<string, string>>;
};

export async function createCluster(programs: string, options: ClusterOptions = {}): Promise<PostgresCluster> {
  const owner = serverOwner();
  const directory = mkdtempSync(join(tmpdir(), "tollgate-postgres-"));
  const sockets = join(directory, "sockets");
  mkdirSync(sockets);
  if (owner.uid !== undefined) for (const path of [directory, sockets]) chownSync(path, owner.uid, owner.gid ?? 0);
  const data = join(directory, "data");
  const [program, ...words] = options.standbyOf
    ? ["pg_basebackup", "-D", data, "-d", options.standbyOf.url("postgres"), "-R", "-c", "fast", "--no-sync"]
    : ["initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"];
  const made = spawnSync(join(programs, program ?? ""), words, { ...owner, cwd: directory, encoding: "utf8" });
  if (made.status !== 0)
    throw new Error(`${program} failed: ${made.stderr}${made.signal ?? ""}${String(made.error ?? "")}`);
  const files = { ...options.files, ...(options.access && { "pg_hba.conf": options.access.join("\n") }) };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(data, name), content, { mode: 0o600 });
    if (owner.uid !== undefined) chownSync(join(data, name), owner.uid, owner.gid ?? 0);
  }
  const places = {
    listen_addresses: options.port === undefined ? "" : "127.0.0.1",
    port: String(options.port ?? 5432),
  };
  const all = { ...settings, ...places, unix_socket_directories: sockets, ...options.settings };
  const args = ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  // The shell ends the server when our end of its standard input closes, whatever ended us, and sweeps up.
  const script = `"$0" "$@" & server=$!; read line; kill -QUIT $server; wait $server`;
  let keeper: ChildProcess | undefined;
  const { port = 5432 } = options;
  const url = (database: string): string => `postgres://${user}@${encodeURIComponent(sockets)}:${port}/${database}`;
  let databases = 0;
  const cluster: PostgresCluster = {
    socket: join(sockets, `.s.PGSQL.${port}`),
    url,
    makeDatabase: async () => {
      databases += 1;
      await query(url("postgres"), `create database d${databases}`);
      return url(`d${databases}`);
    },
    start: async () => {
      keeper = spawn("sh", ["-c", script, join(programs, "postgres"), ...args], {
        ...owner,
        cwd: directory,
        stdio: ["pipe", "ignore", process.env["POSTGRES_LOG"] === "1" ? "inherit" : "ignore"],
      });
      await waitUntilReady(url("postgres"));
    },
    kill: async () => {
      const children = childrenOf(postmaster(data));
      process.kill(postmaster(data), "SIGKILL");
      for (const child of children) await waitUntilGone(child);
      await end(keeper);
    },
    freeze: (which) => {
      const leader = postmaster(data);
      const frozen = [...(which === "everything" ? [leader] : []), ...childrenOf(leader)];
      for (const pid of frozen) process.kill(pid, "SIGSTOP");
      return () => {
        for (const pid of frozen) process.kill(pid, "SIGCONT");
      };
    },
    promote: async () => void (await query(url("postgres"), "select pg_promote()")),
    sessions: async () => {
      const text = "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend'";
      const [row] = await query<{ n: number }>(url("postgres"), text);
      return (row?.n ?? 0) - 1; // Not the one that asks.
    },
    stop: async () => {
      await end(keeper);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await cluster.start();
  return cluster;
}

/** Runs one statement and gives back its rows. */
export async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client(clientOptions(url));
  // A server that is killed says so here too.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

function clientOptions(url: string): { connectionString: string; connectionTimeoutMillis: number } {
  return { connectionString: url, connectionTimeoutMillis: 5_000 };
}

/** PostgreSQL refuses to run as root. */
function serverOwner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const line = lines.find((text) => text.startsWith("postgres:")) ?? lines.find((text) => text.startsWith("nobody:"));
  const [, , uid, gid] = (line ?? "").split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

function postmaster(data: string): number {
  return Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n", 1)[0]);
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

async function waitUntilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(pollMilliseconds);
  }
}

async function end(keeper: ChildProcess | undefined): Promise<void> {
  if (keeper === undefined || keeper.exitCode !== null) return;
  const ended = once(keeper, "close");
  keeper.stdin?.end();
  await ended;
}

async function waitUntilReady(url: string): Promise<void> {
  const tries = startMillisecondsMax / pollMilliseconds;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await query(url, "select 1");
      return;
    } catch (error) {
      if (attempt >= tries) throw new Error("postgres did not start in time", { cause: error });
      await pause(pollMilliseconds);
    }
  }
}
