import { placeOfDatabase } from "../platform/database/database.ts";
import { isDatabaseMade } from "../platform/database/inspect-database.ts";
import { type Platform, closePlatform, createPlatform } from "../platform/platform.ts";
import { StartError } from "../platform/start-error.ts";
import { type Terminal, configOf } from "./terminal.ts";

/**
 * Lends the platform to a command that works on the data, beside a running server or without one.
 * Nothing is logged: what the command writes is its answer.
 */
export async function withPlatform<T>(
  terminal: Terminal,
  needs: "a database" | "a database that is there",
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  const config = configOf(terminal);
  if (config.database.kind === "sqlite-memory") {
    throw new StartError("DATABASE_URL is sqlite::memory:, which only the server itself can reach: use a file.");
  }
  if (needs === "a database that is there" && !(await isDatabaseMade(config.database))) {
    const place = placeOfDatabase(config.database);
    throw new StartError(`There is no database ${place}: start the server once, or set DATABASE_URL.`);
  }
  const platform = await createPlatform({ ...config, logLevel: "silent" });
  try {
    return await use(platform);
  } finally {
    await closePlatform(platform);
  }
}
