import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "./start-error.ts";

const secretKeyFileBytes = { min: 32, max: 1024 };

export function secretKeyPath(dataDirectory: string): string {
  return join(dataDirectory, "secret.key");
}

/**
 * The secret of a development server: read from `secret.key` in the data directory, made there on the first start.
 * Without a directory a fresh one, which dies with the process. Throws `StartError`.
 */
export function loadOrCreateSecretKey(dataDirectory: string | undefined): string {
  if (dataDirectory === undefined) return makeSecretKey();
  const path = secretKeyPath(dataDirectory);
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    return readSecretKey(path) ?? createSecretKey(path);
  } catch (error) {
    if (error instanceof StartError || !isSystemError(error)) throw error;
    const cause = `The secret ${path} cannot be read or written (${error.code})`;
    throw new StartError(`${cause}: let this user write to the directory, or set SECRET_KEY.`, { cause: error });
  }
}

function makeSecretKey(): string {
  return randomBytes(32).toString("base64url");
}

/** undefined when there is no such file. */
export function readSecretKey(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    checkSecretKeyFile(path, file);
    return readFileSync(file, "utf8").trim();
  } finally {
    closeSync(file);
  }
}

function checkSecretKeyFile(path: string, file: number): void {
  const { mode, size } = fstatSync(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new StartError(`Others can read the secret ${path}: run "chmod 600 ${path}", or remove it to get a new one.`);
  }
  if (size < secretKeyFileBytes.min || size > secretKeyFileBytes.max) {
    const bounds = `${secretKeyFileBytes.min} to ${secretKeyFileBytes.max} bytes`;
    throw new StartError(`The secret ${path} must have ${bounds} and has ${size}: remove it to get a new one.`);
  }
}

/**
 * Written whole under another name, then linked: a link fails when the name is taken, so of two processes that
 * start together one makes the secret and the other reads it, never a half of it.
 */
function createSecretKey(path: string): string {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const secretKey = makeSecretKey();
  try {
    writeDurably(draft, `${secretKey}\n`);
    linkSync(draft, path);
    syncDirectory(join(path, ".."));
    return secretKey;
  } catch (error) {
    const winner = isSystemError(error) && error.code === "EEXIST" ? readSecretKey(path) : undefined;
    if (winner !== undefined) return winner;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** So that the name too outlives a power cut. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}
