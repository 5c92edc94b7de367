import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { once } from "node:events";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { PrimaryDesk } from "./primary-desk.ts";
import { workerNumberVariable } from "./worker.ts";
import type { FromPrimary, FromWorker, Pipe } from "./worker-messages.ts";

/** The first comes back after so long; each further death in a row doubles it. */
const restartMilliseconds = { first: 100, max: 10_000 };
/** Who lived so long did not die of its birth. */
const wellMilliseconds = 60_000;
/** When no worker serves and each has died so often in a row, another try helps nobody. */
const deathsInRowMax = 6;

export type Fleet = {
  /** The address on which the workers listen; undefined when the first one could not, and has said why. */
  readonly start: () => Promise<string | undefined>;
  /** Asks all to stop. Whether all did so in time and well; those that did not are killed. */
  readonly stop: (millisecondsMax: number) => Promise<boolean>;
  readonly kill: () => void;
  /** Kept when there is no worker left and no use in trying again. */
  readonly lost: Promise<void>;
};

type Berth = {
  readonly number: number;
  worker: ClusterWorker | undefined;
  pipe: Pipe<FromPrimary, FromWorker> | undefined;
  isListening: boolean;
  deathsInRow: number;
};

export type FleetParts = {
  readonly count: number;
  readonly desk: PrimaryDesk;
  readonly clock: Pick<Clock, "monotonicNow" | "wait">;
  readonly log: Logger;
};

/**
 * The worker processes of this machine, which run this same command. The first one starts alone: it makes what a new
 * database needs, and says what keeps it from starting. One that dies is replaced, later and later if it goes on dying.
 */
export function createFleet(parts: FleetParts): Fleet {
  const { count, clock, log, desk } = parts;
  const berths = Array.from({ length: count }, (_, index): Berth => {
    return { number: index + 1, worker: undefined, pipe: undefined, isListening: false, deathsInRow: 0 };
  });
  const lost = Promise.withResolvers<void>();
  let isStopping = false;

  const keepAlive = async (berth: Berth, life: Promise<Death>): Promise<void> => {
    for (let current = life; ; current = launch(berth, parts)) {
      const { exitCode, signal } = await current;
      if (isStopping) return;
      log.error({ of: berth.number, exit_code: exitCode, signal }, "a worker ended");
      berth.deathsInRow += 1;
      if (berths.every((one) => !one.isListening && one.deathsInRow >= deathsInRowMax)) lost.resolve();
      await clock.wait(restartDelayMilliseconds(berth.deathsInRow));
      if (isStopping) return;
    }
  };
  return {
    lost: lost.promise,
    start: async () => {
      const [first, ...others] = berths;
      if (first === undefined) return undefined;
      const listening = Promise.withResolvers<string>();
      const life = launch(first, parts, listening.resolve);
      const address = await Promise.race([listening.promise, life.then(() => undefined)]);
      if (address === undefined) return undefined;
      void keepAlive(first, life);
      for (const berth of others) void keepAlive(berth, launch(berth, parts));
      return address;
    },
    stop: async (millisecondsMax) => {
      isStopping = true;
      // One that is being born serves nobody, and would have to be waited for.
      kill(berths.filter(({ isListening }) => !isListening));
      const living = berths.flatMap(({ worker, pipe, isListening }) => {
        return worker && pipe && isListening ? [{ worker, pipe }] : [];
      });
      const ends = living.map(({ worker }) => once(worker, "exit") as Promise<[number | null]>);
      for (const { pipe } of living) desk.tell(pipe, { about: "stop" });
      const late = setTimeout(() => {
        log.error("workers that did not stop in time are killed");
        kill(berths);
      }, millisecondsMax);
      const exitCodes = await Promise.all(ends);
      clearTimeout(late);
      return exitCodes.every(([exitCode]) => exitCode === 0);
    },
    kill: () => kill(berths),
  };
}

type Death = { readonly exitCode: number | null; readonly signal: string | null };

/** Starts the worker of a berth; kept when it has ended. */
async function launch(
  berth: Berth,
  { desk, clock }: FleetParts,
  onListening: (address: string) => void = () => undefined,
): Promise<Death> {
  const worker = cluster.fork({ [workerNumberVariable]: String(berth.number) });
  const pipe = pipeTo(worker);
  const bornAt = clock.monotonicNow();
  Object.assign(berth, { worker, pipe, isListening: false });
  desk.attach(pipe);
  pipe.onMessage((message) => {
    if (message.kind !== "listening") return;
    berth.isListening = true;
    onListening(message.address);
  });
  const [exitCode, signal] = (await once(worker, "exit")) as [number | null, string | null];
  desk.detach(pipe);
  if (clock.monotonicNow() - bornAt >= wellMilliseconds) berth.deathsInRow = 0;
  Object.assign(berth, { worker: undefined, pipe: undefined, isListening: false });
  return { exitCode, signal };
}

function restartDelayMilliseconds(deathsInRow: number): number {
  return Math.min(restartMilliseconds.max, restartMilliseconds.first * 2 ** (deathsInRow - 1));
}

function kill(berths: readonly Berth[]): void {
  for (const { worker } of berths) worker?.process.kill("SIGKILL");
}

/** A message to a worker that has just died is missed by nobody. */
function pipeTo(worker: ClusterWorker): Pipe<FromPrimary, FromWorker> {
  worker.process.on("error", () => undefined);
  return {
    send: (message) => {
      if (worker.isConnected()) worker.process.send(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => void worker.on("message", (message: FromWorker) => listener(message)),
  };
}
