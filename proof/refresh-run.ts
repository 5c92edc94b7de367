import { pause, createRefreshClient } from "./refresh-client.ts";
import { type Chance, type Lane, type Scenario, scenarios, tooSlow } from "./refresh-scenarios.ts";

export type ProofOptions = {
  readonly url: string;
  readonly rounds: number;
  readonly seed: number;
  readonly lanes: number;
  /** REFRESH_OVERLAP of that server. */
  readonly overlapMilliseconds: number;
  /** Kills the server and starts it anew; left out for a server that is not the proof's own. */
  readonly crash?: () => Promise<void>;
  readonly crashEveryRounds?: number;
  readonly onRound?: (done: number) => void;
};

export type ProofResult = {
  readonly rounds: Readonly<Record<string, number>>;
  readonly crashes: number;
  /** Rounds that say nothing: see `tooSlow`. */
  readonly setAside: number;
  readonly honestSignOuts: readonly string[];
  readonly theftsMissed: readonly string[];
};

/** Plays so many rounds, some at a time, in an order that the seed decides; tells what went wrong. */
export async function proveRefresh(options: ProofOptions): Promise<ProofResult> {
  const { url, rounds, lanes, overlapMilliseconds, crash, crashEveryRounds = Infinity, onRound } = options;
  const client = createRefreshClient(url);
  // The same seed may be played on the same server again.
  const run = crypto.randomUUID();
  const counts: Record<string, number> = {};
  const honestSignOuts: string[] = [];
  const theftsMissed: string[] = [];
  let [started, done, crashes, people, setAside] = [0, 0, 0, 0, 0];

  let isOver = false;

  const nextLane = async (): Promise<Lane> => {
    people += 1;
    return { token: await client.signUp(`proof-${run}-${people}@example.com`) };
  };
  const playLane = async (): Promise<void> => {
    let lane = await nextLane();
    while (!isOver && started < rounds) {
      started += 1;
      const round = started;
      // Each round has a row of its own, so that the lanes' pace changes nothing in it.
      const chance = createChance(options.seed * 100_003 + round);
      const scenario = pick(chance);
      const session = sessionOf(lane);
      const fault = await scenario.run(client, lane, chance, overlapMilliseconds);
      counts[scenario.name] = (counts[scenario.name] ?? 0) + 1;
      const found = scenario.isTheft ? theftsMissed : honestSignOuts;
      if (fault === tooSlow) setAside += 1;
      else if (fault !== undefined) found.push(`round ${round}, ${scenario.name}, session ${session}: ${fault}`);
      if (scenario.isTheft || fault !== undefined) lane = await nextLane();
      done += 1;
      onRound?.(done);
    }
  };
  const crashNowAndThen = async (): Promise<void> => {
    while (crash && !isOver && done < rounds) {
      if (done >= (crashes + 1) * crashEveryRounds) {
        await crash();
        crashes += 1;
      }
      await pause(5);
    }
  };
  await Promise.all([...Array.from({ length: lanes }, playLane), crashNowAndThen()]).finally(() => {
    isOver = true;
  });
  return { rounds: counts, crashes, setAside, honestSignOuts, theftsMissed };
}

/** For looking the story up in the audit log of that server. */
function sessionOf({ token }: Lane): string {
  return Buffer.from(token.slice("tgr_".length), "base64url").subarray(0, 16).toString("base64url");
}

// Thefts cost a new session and a wait, so they are the rarer quarter.
function pick(chance: Chance): Scenario {
  const isTheft = chance(4) === 0;
  const some = scenarios.filter((scenario) => scenario.isTheft === isTheft);
  // A slow clock waits; the others are quick.
  const chosen = some[chance(some.length)] as Scenario;
  return chosen.name === "slow clock" && chance(4) !== 0 ? (some[0] as Scenario) : chosen;
}

/** Mulberry32: small, and the same row everywhere. */
function createChance(seed: number): Chance {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
