import type { Logger } from "pino";
import { RedisAway } from "../redis/redis-faults.ts";
import type { DecisionLog, NumberedDecision } from "./decisions.ts";

const lookEveryMilliseconds = 250;
/** Of more at one look only the newest are told: who floods the server must not make it tell as much again. */
const toldAtOnceMax = 1_000;

type Listener = (decision: NumberedDecision) => void;

type Parts = {
  /** Writes what Redis does not have yet of this process. */
  readonly flush: () => Promise<void>;
  /** Throws RedisAway. */
  readonly shared: DecisionLog["list"];
  readonly local: DecisionLog["list"];
  readonly log: Logger;
};

/**
 * Follows the refusals of all processes while somebody watches: looks at what has come in Redis behind the last number,
 * four times a second. With Redis away those of this process are told; when it is back, those of the others, and none
 * twice.
 */
export function createFollower({ flush, shared, local, log }: Parts): DecisionLog["subscribe"] {
  const listeners = new Set<Listener>();
  let position: Position | undefined;
  let timer: NodeJS.Timeout | undefined;
  let beginning: Promise<void> | undefined;

  const look = async (from: Position): Promise<void> => {
    for (const decision of await newDecisions({ flush, shared, local }, from)) {
      for (const listener of listeners) listener(decision);
    }
  };
  const lookLater = (): void => {
    timer = setTimeout(() => {
      const from = position;
      if (from === undefined) return;
      look(from)
        .catch((error: unknown) => log.warn({ err: error }, "refusals could not be followed"))
        .finally(() => {
          if (position === from) lookLater();
        });
    }, lookEveryMilliseconds).unref();
  };
  const begin = async (): Promise<void> => {
    await flush();
    position = { shared: undefined, local: await newestNumber(local), toldWhileAway: new Set() };
    position.shared = await newestNumber(shared).catch(ifAway(undefined));
    lookLater();
  };
  return async (listener) => {
    listeners.add(listener);
    beginning ??= begin().catch((error: unknown) => {
      beginning = undefined;
      throw error;
    });
    await beginning;
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      [position, beginning] = [undefined, undefined];
      clearTimeout(timer);
    };
  };
}

type Position = {
  /** The last number in Redis that was told; undefined while it has never been there. */
  shared: number | undefined;
  /** What this process refused up to this number, Redis has, or it was told. */
  local: number;
  readonly toldWhileAway: Set<string>;
};

/** What has come since the last look, the oldest first. */
async function newDecisions(
  { flush, shared, local }: Omit<Parts, "log">,
  position: Position,
): Promise<readonly NumberedDecision[]> {
  const localUpTo = await newestNumber(local);
  await flush();
  const sharedUpTo = position.shared;
  const found = await (sharedUpTo === undefined ? newestNumber(shared) : shared({}, after(sharedUpTo))).catch(
    ifAway(undefined),
  );
  if (found === undefined) {
    const own = await local({}, after(position.local));
    position.local = own[0]?.number ?? position.local;
    for (const { requestId } of own) remember(position.toldWhileAway, requestId);
    return own.toReversed();
  }
  if (typeof found === "number") {
    // It is there for the first time: from here on the others' are told.
    position.shared = found;
    const own = await local({}, after(position.local));
    position.local = own[0]?.number ?? position.local;
    return own.toReversed();
  }
  position.local = localUpTo;
  position.shared = found[0]?.number ?? sharedUpTo;
  return found.toReversed().filter(({ requestId }) => !position.toldWhileAway.delete(requestId));
}

async function newestNumber(list: DecisionLog["list"]): Promise<number> {
  return (await list({}, { count: 1 }))[0]?.number ?? 0;
}

function after(number: number): { after: number; count: number } {
  return { after: number, count: toldAtOnceMax };
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  if (ids.size > toldAtOnceMax) ids.delete(ids.values().next().value ?? id);
}

/** What stands for an answer when Redis is away; any other error is one. */
function ifAway<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RedisAway) return instead;
    throw error;
  };
}
