import { mkdir, readdir, unlink } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { join } from "node:path";
import type { Platform } from "./platform.ts";
import type { Decision } from "./http/decisions.ts";

/**
 * A door into the running server for commands of the same user: a Unix domain socket in the data directory.
 * One request and one answer per connection, each one line of JSON, bounded in size and time.
 */
export type ControlRequest = { readonly ask: "why"; readonly requestId: string };

export type ControlAnswer = {
  /** null when this server does not remember the request. */
  readonly decision: Decision | null;
  /** The page about the problem, on this server. */
  readonly page: string | null;
};

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS. */
const socketPathBytesMax = 100;
const requestBytesMax = 1024;
const answerBytesMax = 64 * 1024;
const connectionsMax = 8;
const exchangeMilliseconds = 2000;
const serversMax = 64;

export type ControlSocket = { readonly close: () => Promise<void> };

/** Opens the door, or logs why not: a server without it serves just as well. undefined without a data directory. */
export async function openControlSocket(
  platform: Pick<Platform, "config" | "decisions" | "log">,
): Promise<ControlSocket | undefined> {
  const { dataDirectory } = platform.config;
  if (dataDirectory === undefined) return undefined;
  const path = join(dataDirectory, `control-${process.pid}.sock`);
  try {
    if (Buffer.byteLength(path) > socketPathBytesMax) throw new Error(`longer than ${socketPathBytesMax} bytes`);
    // With PostgreSQL and SECRET_KEY nobody else has made it.
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await removeStaleSockets(dataDirectory);
    const server = await listenPrivately(
      createServer((socket) => serve(platform, socket)),
      path,
    );
    server.on("error", (error) => platform.log.warn({ err: error }, "the control socket failed"));
    return { close: () => closeServer(server) };
  } catch (error) {
    platform.log.warn({ err: error }, `no control socket at ${path}: "tollgate why" cannot ask this server`);
    return undefined;
  }
}

function listenPrivately(server: Server, path: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.maxConnections = connectionsMax;
  server.once("error", reject);
  // listen() binds before it returns, so the socket never exists with wider rights, and nothing else runs meanwhile.
  const umask = process.umask(0o177);
  try {
    server.listen(path, () => {
      server.off("error", reject);
      resolve(server);
    });
  } finally {
    process.umask(umask);
  }
  return promise;
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}

function serve(platform: Pick<Platform, "config" | "decisions">, socket: Socket): void {
  // A client that is gone is no fault of ours.
  exchangeLine(socket, requestBytesMax)
    .then((line) => answer(platform, line))
    .then((text) => socket.end(`${text}\n`))
    .catch(() => socket.destroy());
}

async function answer({ config, decisions }: Pick<Platform, "config" | "decisions">, line: string): Promise<string> {
  const request: unknown = JSON.parse(line);
  if (!isControlRequest(request)) throw new Error("no request that this server knows");
  const decision = (await decisions.find(request.requestId)) ?? null;
  const page = decision === null ? null : `${config.publicUrl}/errors/${decision.code}`;
  return JSON.stringify({ decision, page } satisfies ControlAnswer);
}

function isControlRequest(request: unknown): request is ControlRequest {
  if (typeof request !== "object" || request === null) return false;
  return "ask" in request && request.ask === "why" && "requestId" in request && typeof request.requestId === "string";
}

/** The first line that comes, without its end. Destroys the socket when it is too long or too late. */
function exchangeLine(socket: Socket, bytesMax: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const deadline = setTimeout(() => socket.destroy(new Error("timed out")), exchangeMilliseconds);
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf("\n");
    if (end >= 0) resolve(received.toString("utf8", 0, end));
    else if (received.length > bytesMax) socket.destroy(new Error("too long"));
  });
  socket.on("error", reject);
  socket.on("close", () => {
    clearTimeout(deadline);
    reject(new Error("closed before a whole line came"));
  });
  return promise;
}

async function removeStaleSockets(directory: string): Promise<void> {
  for (const path of await controlSockets(directory)) {
    if (!(await isListening(path))) await unlink(path).catch(() => undefined);
  }
}

async function controlSockets(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => /^control-\d{1,10}\.sock$/.test(name))
    .slice(0, serversMax)
    .map((name) => join(directory, name));
}

function isListening(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true));
  socket.on("error", (error: NodeJS.ErrnoException) =>
    resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
  );
  return promise.finally(() => socket.destroy());
}

/** Whether a server runs on this data directory; one whose door could not be opened is not seen. */
export async function isServerRunning(directory: string): Promise<boolean> {
  const listening = await Promise.all((await controlSockets(directory)).map(isListening));
  return listening.includes(true);
}

/** Asks every server that runs on this data directory; those that do not answer in time are left out. */
export async function askRunningServers(directory: string, request: ControlRequest): Promise<ControlAnswer[]> {
  const asked = (await controlSockets(directory)).map((path) => ask(path, request).catch(() => undefined));
  return (await Promise.all(asked)).filter((reply) => reply !== undefined);
}

async function ask(path: string, request: ControlRequest): Promise<ControlAnswer> {
  const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
  try {
    const reply: unknown = JSON.parse(await exchangeLine(socket, answerBytesMax));
    if (!isControlAnswer(reply)) throw new Error("answered in another way");
    return reply;
  } finally {
    socket.destroy();
  }
}

function isControlAnswer(reply: unknown): reply is ControlAnswer {
  if (typeof reply !== "object" || reply === null || !("decision" in reply && "page" in reply)) return false;
  const { decision } = reply;
  if (decision === null) return true;
  return (
    typeof decision === "object" && "requestId" in decision && "gates" in decision && Array.isArray(decision.gates)
  );
}
