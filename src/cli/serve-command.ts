import { type Command, InvalidArgumentError } from "commander";
import { type App, buildApp } from "../app.ts";
import type { Config } from "../config.ts";
import { type ControlSocket, openControlSocket } from "../platform/control-socket.ts";
import { createMemoryDecisions } from "../platform/counting.ts";
import { placeOfDatabase } from "../platform/database/database.ts";
import { type MetricsServer, openMetricsServer } from "../platform/telemetry/metrics-server.ts";
import { giveBackMemoryOfStart } from "../platform/memory-after-start.ts";
import { type Platform, closePlatform, createPlatform } from "../platform/platform.ts";
import { secretKeyPath } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import { createLog } from "../platform/telemetry/log.ts";
import { createPrimary } from "../platform/workers/primary.ts";
import { ownWorker, type Worker } from "../platform/workers/worker.ts";
import { type ExitCode, type Run, type Terminal, columns, configOf } from "./terminal.ts";

const stopMillisecondsMax = 10_000;
/** A worker that is late ends itself by then. */
const killMillisecondsAfter = 2_000;
const idleCheckMilliseconds = 100;

type ServeOptions = { readonly json?: true; readonly workers?: string };

export function addServeCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("serve")
    .description("Run the server until SIGTERM or Ctrl+C.")
    .option("--workers <count>", "how many processes serve on this port; goes before WORKERS", parseWorkers)
    .option("--json", "tell in JSON where it listens")
    .action(run((options: ServeOptions) => serve(options, terminal)));
}

function parseWorkers(text: string): string {
  if (/^([1-9]|[1-5]\d|6[0-4])$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a whole number from 1 to 64.");
}

async function serve({ json, workers }: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const env = workers === undefined ? terminal.env : { ...terminal.env, WORKERS: workers };
  const config = configOf({ ...terminal, env });
  const greet = (address: string): void => {
    if (json) terminal.out(JSON.stringify({ address, ...places(config) }));
    else for (const line of greeting(config, address)) terminal.out(line);
  };
  const worker = ownWorker();
  if (worker === undefined && config.workers > 1) return await serveWithWorkers(config, greet);
  return await serveHere(config, worker, worker ? worker.primary.listening : greet);
}

type Running = {
  readonly platform: Platform;
  readonly app: App;
  readonly control: ControlSocket | undefined;
  readonly metrics: MetricsServer | undefined;
};

/** Serves in this process, which is a worker or the only one. */
async function serveHere(
  config: Config,
  worker: Worker | undefined,
  greet: (address: string) => void,
): Promise<ExitCode> {
  const stopRequested = worker ? whenTold(worker) : listenForSignals(() => process.exit(1));
  const platform = await createPlatform(config, worker ? { worker } : {}, { isServing: true });
  surviveOwnFaults(platform);
  const running = await start(platform);
  greet(running.address);
  platform.log.info(stopSentence(await stopRequested));
  return await stopInTime(running);
}

function stopSentence(reason: string): string {
  return `${reason}: stopping; requests that are under way have ${stopMillisecondsMax / 1000} seconds`;
}

/** The first signal asks for a stop; the second one does not wait for anything. */
function listenForSignals(force: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) force();
      isStopping = true;
      resolve(signal);
    });
  }
  return promise;
}

/**
 * A terminal and systemd send their signal to the whole group, so a worker gets each twice: by itself and by word of
 * the primary process, which alone decides that nobody waits any more. A signal to a worker alone replaces it.
 */
function whenTold({ primary }: Worker): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  primary.hear((tidings) => {
    if (tidings.about === "stop") resolve("the primary process stops");
  });
  return promise;
}

/** Serves in workers: this process counts for them, passes on what they share, and replaces one that dies. */
async function serveWithWorkers(config: Config, greet: (address: string) => void): Promise<ExitCode> {
  const log = await createLog(config, "primary");
  const decisions = createMemoryDecisions();
  const fleet = createPrimary(config.workers, { log, decisions });
  const stopRequested = listenForSignals(() => {
    fleet.kill();
    process.exit(1);
  });
  surviveOwnFaults({ log });
  const address = await fleet.start();
  if (address === undefined) return 1;
  const control = await openControlSocket({ config, decisions, log });
  greet(address);
  let isLost = false;
  const lost = fleet.lost.then(() => {
    isLost = true;
    return "no worker stays alive";
  });
  log.info(stopSentence(await Promise.race([stopRequested, lost])));
  const isWell = await fleet.stop(config.shutdownDelayMilliseconds + stopMillisecondsMax + killMillisecondsAfter);
  await control?.close();
  return isWell && !isLost ? 0 : 1;
}

function surviveOwnFaults({ log }: Pick<Platform, "log">): void {
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "a promise was rejected and nobody looked"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "an exception reached nobody: the state is unknown, so the process ends");
    process.exit(1);
  });
}

async function start(platform: Platform): Promise<Running & { readonly address: string }> {
  const { host, port, metrics } = platform.config;
  let portTried = port;
  try {
    const app = await buildApp(platform);
    await giveBackMemoryOfStart();
    const address = await app.listen({ host, port });
    // Workers have their primary's: it keeps the decisions of all.
    const control = platform.worker ? undefined : await openControlSocket(platform);
    portTried = metrics.port ?? port;
    return { platform, app, address, control, metrics: await openMetricsServer(platform, app.readMetrics) };
  } catch (error) {
    await closePlatform(platform);
    throw listenFault(error, host, { name: portTried === port ? "PORT" : "METRICS_PORT", port: portTried }) ?? error;
  }
}

function listenFault(
  error: unknown,
  host: string,
  { name, port }: { readonly name: string; readonly port: number },
): StartError | undefined {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return undefined;
  switch (error.code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} on ${host} is in use by another program: stop it, or set ${name} to a free one.`,
      );
    case "EACCES":
      return new StartError(`This user may not listen on port ${port}: set ${name} to 1024 or more.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartError(`HOST=${host} is no address of this machine: set it to one, as 127.0.0.1 or 0.0.0.0.`);
    default:
      return undefined;
  }
}

async function stopInTime(running: Running): Promise<ExitCode> {
  const { app, platform } = running;
  app.beginShutdown();
  await platform.realClock.wait(platform.config.shutdownDelayMilliseconds);
  const { promise: late, resolve } = Promise.withResolvers<ExitCode>();
  const deadline = setTimeout(() => {
    platform.log.error("stopped with requests still under way");
    resolve(1);
  }, stopMillisecondsMax);
  try {
    return await Promise.race([stop(running), late]);
  } finally {
    clearTimeout(deadline);
  }
}

/** Readiness is gone; then the door, then what is under way, then what it stands on. */
async function stop({ platform, app, control, metrics }: Running): Promise<ExitCode> {
  // A connection that becomes idle after close() would else hold the server until its keep-alive ends.
  const idleCheck = setInterval(() => app.server.closeIdleConnections(), idleCheckMilliseconds);
  try {
    await app.close();
    await control?.close();
    await metrics?.close();
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
