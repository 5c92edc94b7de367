import { sql } from "kysely";
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
export function warnings({ redis }: Pick<Platform, "redis">, tls?: Pick<TlsFiles, "warning">): string[] {
  const fault = redis?.fault();
  const away = `redis: away (${fault}). Limits that guard secrets are counted by each process for itself, the others are open.`;
  return [fault === undefined ? undefined : away, tls?.warning()].filter((warning) => warning !== undefined);
}

export async function isDatabaseThere({ db }: Pick<Platform, "db">): Promise<boolean> {
  try {
    await sql`select 1 from accounts limit 1`.execute(db);
    return true;
  } catch {
    return false;
  }
}
