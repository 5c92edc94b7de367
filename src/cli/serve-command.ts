import type { Command } from "commander";
import { type App, buildApp } from "../app.ts";
import type { Config } from "../config.ts";
import { type ControlSocket, openControlSocket } from "../platform/control-socket.ts";
import { placeOfDatabase } from "../platform/database/database.ts";
import { type Platform, closePlatform, createPlatform } from "../platform/platform.ts";
import { secretKeyPath } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import { type ExitCode, type Run, type Terminal, columns, configOf } from "./terminal.ts";

const stopMillisecondsMax = 10_000;
const idleCheckMilliseconds = 100;

export function addServeCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("serve")
    .description("Run the server until SIGTERM or Ctrl+C.")
    .option("--json", "tell in JSON where it listens")
    .action(run((options: { json?: true }) => serve(options, terminal)));
}

type Running = { readonly platform: Platform; readonly app: App; readonly control: ControlSocket | undefined };

async function serve(options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const config = configOf(terminal);
  const stopRequested = listenForSignals();
  const platform = await createPlatform(config);
  surviveOwnFaults(platform);
  const running = await start(platform);
  const { address } = running;
  if (options.json) terminal.out(JSON.stringify({ address, ...places(config) }));
  else for (const line of greeting(config, address)) terminal.out(line);
  const signal = await stopRequested;
  platform.log.info(`${signal}: stopping; requests that are under way have ${stopMillisecondsMax / 1000} seconds`);
  return await stopInTime(running);
}

/** The first signal asks for a stop; the second one does not wait for anything. */
function listenForSignals(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      resolve(signal);
    });
  }
  return promise;
}

function surviveOwnFaults({ log }: Pick<Platform, "log">): void {
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "a promise was rejected and nobody looked"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "an exception reached nobody: the state is unknown, so the process ends");
    process.exit(1);
  });
}

async function start(platform: Platform): Promise<Running & { readonly address: string }> {
  const { host, port } = platform.config;
  try {
    const app = await buildApp(platform);
    closeConnectionsWhenStopping(app);
    const address = await app.listen({ host, port });
    return { platform, app, address, control: await openControlSocket(platform) };
  } catch (error) {
    await closePlatform(platform);
    throw listenFault(error, platform.config) ?? error;
  }
}

/** A request under way when the stop began is the last one of its connection (RFC 9112 §9.6). */
function closeConnectionsWhenStopping(app: App): void {
  app.addHook("onSend", async (_request, reply) => {
    if (!app.server.listening) reply.header("connection", "close");
  });
}

function listenFault(error: unknown, { host, port }: Config): StartError | undefined {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return undefined;
  switch (error.code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} on ${host} is in use by another program: stop it, or set PORT to a free one.`,
      );
    case "EACCES":
      return new StartError(`This user may not listen on port ${port}: set PORT to 1024 or more.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartError(`HOST=${host} is no address of this machine: set it to one, as 127.0.0.1 or 0.0.0.0.`);
    default:
      return undefined;
  }
}

async function stopInTime(running: Running): Promise<ExitCode> {
  const { promise: late, resolve } = Promise.withResolvers<ExitCode>();
  const deadline = setTimeout(() => {
    running.platform.log.error("stopped with requests still under way");
    resolve(1);
  }, stopMillisecondsMax);
  try {
    return await Promise.race([stop(running), late]);
  } finally {
    clearTimeout(deadline);
  }
}

/** Readiness first, then the door, then what is under way, then what it stands on. */
async function stop({ platform, app, control }: Running): Promise<ExitCode> {
  app.beginShutdown();
  // A connection that becomes idle after close() would else hold the server until its keep-alive ends.
  const idleCheck = setInterval(() => app.server.closeIdleConnections(), idleCheckMilliseconds);
  try {
    await app.close();
    await control?.close();
    await closePlatform(platform);
    return 0;
  } finally {
    clearInterval(idleCheck);
  }
}

function places(config: Config): { docs: string; errors: string; database: string; mode: string; secret: string } {
  const { publicUrl, database, mode } = config;
  return {
    docs: `${publicUrl}/docs`,
    errors: `${publicUrl}/errors`,
    database: placeOfDatabase(database),
    mode,
    secret: placeOfSecret(config),
  };
}

function placeOfSecret({ secretKey, dataDirectory }: Config): string {
  if (secretKey !== undefined) return "SECRET_KEY";
  return dataDirectory === undefined ? "in memory: it ends with the process" : secretKeyPath(dataDirectory);
}

function greeting(config: Config, address: string): string[] {
  const lines = [`Tollgate is listening on ${address}`, ""];
  lines.push(...columns(Object.entries(places(config))).map((line) => `  ${line}`), "");
  if (config.mode === "development") {
    const body = `'{"email":"alice@example.com","password":"secret1"}'`;
    lines.push(
      "  A first account:",
      `  curl ${config.publicUrl}/users/ -H 'Content-Type: application/json' -d ${body}`,
      "",
    );
  }
  return [...lines, "Stop with Ctrl+C"];
}
