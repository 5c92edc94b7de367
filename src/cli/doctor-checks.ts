import type { Config } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import { inspectDataDirectory } from "../platform/data-directory.ts";
import { placeOfDatabase } from "../platform/database/database.ts";
import { type DatabaseInspection, inspectDatabase } from "../platform/database/inspect-database.ts";
import { createPasswordHasher } from "../platform/hashing/argon2-password-hasher.ts";
import { type Check, failed } from "./check.ts";
import { checkKeys } from "./doctor-keys.ts";
import { checkProxy } from "./doctor-proxy.ts";
import { checkRedis } from "./doctor-redis.ts";

/** 2026-01-01: this program did not exist before. */
const earliestNow = 1_767_225_600_000;
const clockSkewMillisecondsMax = 60_000;

/** Looks at everything the server stands on and changes nothing. */
export async function checksOf(config: Config): Promise<Check[]> {
  const inspection = await inspectDatabase(config.database);
  return [
    checkDataDirectory(config),
    checkDatabase(config, inspection),
    await checkRedis(config),
    await checkKeys(config, inspection),
    checkClock(inspection),
    await checkProxy(config),
    await checkHashing(config),
  ];
}

function checkDataDirectory({ dataDirectory, mode }: Config): Check {
  const name = "data directory";
  if (dataDirectory === undefined) return { name, state: "ok", found: "None is needed: the database is in memory." };
  const directory = inspectDataDirectory(dataDirectory);
  if (directory.state === "missing") {
    return { name, state: "ok", found: `${dataDirectory} is not there yet; the first start makes it.` };
  }
  if (!directory.isWritable) {
    return failed(name, `This user cannot write in ${dataDirectory}.`, "Give it the directory, or set DATABASE_URL.");
  }
  if (directory.isPrivate) return { name, state: "ok", found: `${dataDirectory} is for this user alone.` };
  const cure = `Run "chmod 700 ${dataDirectory}".`;
  return {
    name,
    state: mode === "production" ? "warning" : "ok",
    found: `Others can look into ${dataDirectory}.`,
    cure,
  };
}

function checkDatabase({ database, mode }: Config, inspection: DatabaseInspection | undefined): Check {
  const name = "database";
  if (inspection === undefined) {
    const state = mode === "production" ? "warning" : "ok";
    return {
      name,
      state,
      found: "In memory: every account ends with the process.",
      cure: "Set DATABASE_URL to a file or to PostgreSQL.",
    };
  }
  const place = placeOfDatabase(database);
  switch (inspection.state) {
    case "missing":
      return { name, state: "ok", found: `${place} is not there yet; the first start makes it.` };
    case "empty":
      return { name, state: "ok", found: `${place} has no tables yet; the first start makes them.` };
    case "unreadable":
      return failed(name, inspection.sentence);
    case "there":
      return checkContents(name, place, inspection);
  }
}

function checkContents(name: string, place: string, inspection: DatabaseInspection & { state: "there" }): Check {
  const { damage, unknown, pending, warnings } = inspection;
  if (damage !== undefined) {
    return failed(name, `${place} is damaged: ${damage}.`, "Stop the server and restore a backup.");
  }
  if (unknown.length > 0) {
    const found = `${place} was written by a newer version, which ran ${unknown.join(", ")}.`;
    return failed(name, found, "Start that version again, or restore an older backup.");
  }
  const [warning] = warnings;
  if (warning !== undefined) return { name, state: "warning", found: `${place}: ${warning.found}`, cure: warning.cure };
  if (pending.length > 0) {
    return { name, state: "ok", found: `${place} is whole; the next start runs ${pending.join(", ")}.` };
  }
  return { name, state: "ok", found: `${place} is whole and of this version.` };
}

function checkClock(inspection: DatabaseInspection | undefined): Check {
  const name = "clock";
  const now = systemClock.now();
  const newestEventAt = inspection?.state === "there" ? inspection.newestEventAt : undefined;
  const cure = "Let the machine keep its time by NTP.";
  if (now < earliestNow) return failed(name, "The machine's clock is years behind.", cure);
  if (newestEventAt !== undefined && newestEventAt > now + clockSkewMillisecondsMax) {
    const minutes = Math.round((newestEventAt - now) / 60_000);
    return failed(name, `The clock is ${minutes} minutes behind the last entry of the audit log.`, cure);
  }
  return { name, state: "ok", found: "It is not behind the audit log." };
}

async function checkHashing({ hashing }: Config): Promise<Check> {
  const name = "hashing";
  const { threads, queueMax, deadlineMilliseconds, memoryKibibytes, passes } = hashing;
  const parameters = { memoryKibibytes, passes, parallelism: 1 };
  const hasher = createPasswordHasher({ threads: 1, queueMax: 1, deadlineMilliseconds: 60_000, parameters });
  try {
    await hasher.hash("the first one starts the thread");
    const before = systemClock.monotonicNow();
    await hasher.hash("the second one is measured");
    const milliseconds = systemClock.monotonicNow() - before;
    const found = `One hash takes ${milliseconds.toFixed(0)} ms, ${threads} at once.`;
    // With the queue full, the last in it waits for all before it.
    const lastWaits = milliseconds * (queueMax / threads + 1);
    if (lastWaits <= deadlineMilliseconds) return { name, state: "ok", found };
    const cure = "Make HASH_QUEUE smaller or HASH_DEADLINE longer.";
    if (milliseconds > deadlineMilliseconds) return failed(name, `${found} That is over HASH_DEADLINE.`, cure);
    return { name, state: "warning", found: `${found} The end of a full queue is over HASH_DEADLINE.`, cure };
  } finally {
    await hasher.close();
  }
}
