import { randomUUID } from "node:crypto";
import { pause, type RefreshClient, type Refreshed } from "./refresh-client.ts";

/** Whole numbers from 0 up to, not including, a bound; the same row for the same seed. */
export type Chance = (below: number) => number;

/** One lane: a person with a session, who keeps the newest token. */
export type Lane = { token: string };

/**
 * Two parties at once were kept apart longer than REFRESH_OVERLAP, by a crash or a machine with too much to do: what
 * should come of it is another question, so the round says nothing.
 */
export const tooSlow = "too slow to judge";

export type Scenario = {
  readonly name: string;
  /** A theft ends the session: the lane then needs a new one. */
  readonly isTheft: boolean;
  /** Resolves to what went wrong, in words, to `tooSlow`, or nothing. */
  readonly run: (
    client: RefreshClient,
    lane: Lane,
    chance: Chance,
    overlapMilliseconds: number,
  ) => Promise<string | undefined>;
};

/** The honest client's way: a key chosen before the request, and the new token kept. */
async function refreshHonestly(
  client: RefreshClient,
  lane: Lane,
  key: string = randomUUID(),
): Promise<string | undefined> {
  const answer = await client.refresh(lane.token, key);
  if (answer.status !== 200) return told("an honest refresh", answer);
  lane.token = answer.token;
  return undefined;
}

function told(what: string, answer: Refreshed): string {
  return `${what} was answered ${answer.status}${answer.status === 401 ? ` ${answer.reason}` : ""}`;
}

/** Whoever uses it must be refused, and what the session ever gave must be dead. */
async function expectTheft(
  client: RefreshClient,
  answer: Refreshed,
  others: readonly Refreshed[],
): Promise<string | undefined> {
  // `revoked`: it was found, the server was killed before it could say so, and this is the second time of asking.
  const isFound = answer.status === 401 && (answer.reason === "reused" || answer.reason === "revoked");
  if (!isFound) return told("the second party's use", answer);
  for (const other of others) {
    if (other.status !== 200) continue;
    if (await client.isAlive(other.access)) return "an access token outlived the theft";
    const again = await client.refresh(other.token, randomUUID());
    if (again.status === 200) return "the newest refresh token outlived the theft";
  }
  return undefined;
}

export const scenarios: readonly Scenario[] = [
  { name: "plain", isTheft: false, run: async (client, lane) => refreshHonestly(client, lane) },
  {
    name: "answer dropped after the commit",
    isTheft: false,
    run: async (client, lane, chance, overlap) => {
      const key = randomUUID();
      for (let losses = 1 + chance(3); losses > 0; losses -= 1)
        await client.refreshAndLeave(lane.token, key, chance(8));
      if (chance(8) === 0) await pause(overlap + 100); // However late.
      return refreshHonestly(client, lane, key);
    },
  },
  {
    name: "tabs at once",
    isTheft: false,
    run: async (client, lane, chance, overlap) => {
      const startedAt = performance.now();
      const tabs = Array.from({ length: 2 + chance(5) }, () => client.refresh(lane.token, randomUUID()));
      const answers = await Promise.all(tabs);
      const successors = new Set(
        answers.map((answer) => (answer.status === 200 ? answer.token : told("a tab", answer))),
      );
      const [successor = ""] = successors;
      if (successors.size !== 1 && performance.now() - startedAt > overlap) return tooSlow;
      if (successors.size !== 1) return `tabs got ${[...successors].join(" and ")}`;
      if (!successor.startsWith("tgr_")) return successor;
      lane.token = successor;
      return undefined;
    },
  },
  {
    name: "slow clock",
    isTheft: false,
    run: async (client, lane, _chance, overlap) => {
      // Believes its old answer is still on the way, long after everybody else.
      const key = randomUUID();
      const first = await client.refresh(lane.token, key);
      await pause(overlap + 100);
      const second = await client.refresh(lane.token, key);
      if (first.status !== 200 || second.status !== 200) return told("a late repetition", second);
      if (first.token !== second.token) return "a late repetition got another successor";
      lane.token = second.token;
      return undefined;
    },
  },
  {
    name: "thief after the victim",
    isTheft: true,
    run: async (client, lane, chance, overlap) => {
      const victim = await client.refresh(lane.token, randomUUID());
      await pause(overlap + 100);
      const thief = await client.refresh(lane.token, chance(2) === 0 ? randomUUID() : undefined);
      return expectTheft(client, thief, [victim]);
    },
  },
  {
    name: "thief before the victim",
    isTheft: true,
    run: async (client, lane, chance, overlap) => {
      let thief = await client.refresh(lane.token, chance(2) === 0 ? randomUUID() : undefined);
      for (let uses = chance(3); uses > 0 && thief.status === 200; uses -= 1)
        thief = await client.refresh(thief.token, randomUUID());
      await pause(overlap + 100);
      const victim = await client.refresh(lane.token, randomUUID());
      return expectTheft(client, victim, [thief]);
    },
  },
  {
    name: "thief within the overlap",
    isTheft: true,
    run: async (client, lane, _chance, overlap) => {
      const startedAt = performance.now();
      const [victim, thief] = await Promise.all([
        client.refresh(lane.token, randomUUID()),
        client.refresh(lane.token, randomUUID()),
      ]);
      const isApart = performance.now() - startedAt > overlap;
      if (victim.status !== 200 || thief.status !== 200)
        return isApart ? tooSlow : told("within the overlap one party", victim.status === 200 ? thief : victim);
      const next = await client.refresh(victim.token, randomUUID());
      await pause(overlap + 100);
      return expectTheft(client, await client.refresh(thief.token, randomUUID()), [next]);
    },
  },
  {
    name: "thief with an old token",
    isTheft: true,
    run: async (client, lane) => {
      const stolen = lane.token;
      for (let uses = 0; uses < 2; uses += 1) {
        const fault = await refreshHonestly(client, lane);
        if (fault) return fault;
      }
      const newest = await client.refresh(lane.token, randomUUID());
      return expectTheft(client, await client.refresh(stolen), [newest]);
    },
  },
];
