import { sql } from "kysely";
import { isReadOnly } from "../../platform/database/read-only-window.ts";
import type { TlsFiles } from "../../platform/http/tls-files.ts";
import type { Platform } from "../../platform/platform.ts";

/** Whether the server is about to stop: it then says so to those who send it requests. */
export type Lifecycle = { readonly isStopping: () => boolean };

/** The parts that are away now, by the names that /health/ready shows; none is best. */
export async function failingParts(platform: Pick<Platform, "db">, lifecycle: Lifecycle): Promise<string[]> {
  const failing: string[] = [];
  if (!(await isDatabaseThere(platform))) failing.push("database");
  if (lifecycle.isStopping()) failing.push("stopping");
  return failing;
}

/**
 * What is missed, though requests are served: they should go on coming. With Redis away all instances are without it at
 * once, and to call them all "not ready" would turn a limit that is counted less exactly into an outage.
 */
export async function warnings(
  { redis, forwarding, db }: Pick<Platform, "redis" | "forwarding" | "db">,
  tls?: Pick<TlsFiles, "warning">,
): Promise<string[]> {
  const fault = redis?.fault();
  const all: string[] = [];
  if (fault !== undefined) {
    all.push(
      `redis: away (${fault}). Limits that guard secrets are counted by each process for itself, the others are open.`,
    );
  }
  // Anybody may read this: which address it is, only the log and administrators are told.
  if (forwarding.isAmiss()) {
    all.push(
      "proxy: clients that a proxy forwards are all counted as one, because TRUSTED_PROXIES does not name it. The log and GET /admin/proxy say what to set.",
    );
  }
  if (await isReadOnly(db)) {
    all.push("database: read-only, for the accounts are moved or were. Writes are answered 503 read-only.");
  }
  const oldCertificate = tls?.warning();
  return oldCertificate === undefined ? all : [...all, oldCertificate];
}

export async function isDatabaseThere({ db }: Pick<Platform, "db">): Promise<boolean> {
  try {
    await sql`select 1 from accounts limit 1`.execute(db);
    return true;
  } catch {
    return false;
  }
}
