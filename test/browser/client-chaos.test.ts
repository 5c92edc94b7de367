import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { all, refreshPath, signUp, statusOfMe, worn } from "../support/client-pages.ts";
import { createSites, type Site, type Trouble } from "../support/client-site.ts";

// More of it: CHAOS_ROUNDS=300 CHAOS_SEED=7 npx node --test test/browser/client-chaos.test.ts
const rounds = Number(process.env["CHAOS_ROUNDS"] ?? "24");
const seed = Number(process.env["CHAOS_SEED"] ?? String(Date.now() % 1_000_000));
const open = createSites();

/** Whole numbers from 0 up to, not including, a bound; the same row for the same seed (mulberry32). */
function createChance(seedOfRow: number): (below: number) => number {
  let state = seedOfRow >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Chance = ReturnType<typeof createChance>;

function slowness(chance: Chance): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, chance(300)));
}

const troubles: readonly ((chance: Chance) => Trouble)[] = [
  () => "lost",
  () => "broken",
  () => ({ status: 503 }),
  slowness,
  (chance) => ({ answerAfter: slowness(chance) }),
  async () => undefined,
];

/** What tabs do at the same time: their tokens wear out, and one of them, or all, are loaded anew meanwhile. */
const deeds: readonly ((site: Site, tabs: readonly Page[], chance: Chance) => Promise<void>)[] = [
  async (site, tabs, chance) => {
    site.meet("/users/me", worn);
    await statusOf(tabs[chance(tabs.length)] as Page);
  },
  async (site, tabs) => {
    site.meet("/users/me", worn, worn, worn);
    await Promise.all(tabs.map(statusOf));
  },
  async (site, tabs, chance) => {
    site.meet("/users/me", worn, worn);
    const asked = tabs.map(statusOf);
    await slowness(chance);
    await site.reload(tabs[chance(tabs.length)] as Page);
    await Promise.all(asked);
  },
  async (site, tabs) => {
    await Promise.all(tabs.map((tab) => site.reload(tab)));
    await Promise.all(tabs.map(statusOf));
  },
];

/** `undefined` when the call failed, or its page was loaded anew meanwhile. */
async function statusOf(tab: Page): Promise<number | undefined> {
  return tab.evaluate<number>(statusOfMe).catch(() => undefined);
}

test("three tabs in a bad network, at random: nobody is ever signed out", async (t) => {
  t.diagnostic(`CHAOS_SEED=${seed}`);
  // Two tabs with two keys would be a theft at once, not after ten seconds.
  const site = await open(t, { REFRESH_OVERLAP: "0s" });
  if (site === undefined) return;
  const chance = createChance(seed);
  const tabs = [await site.tab()];
  await signUp(tabs[0] as Page);
  tabs.push(await site.tab(), await site.tab());
  for (let round = 1; round <= rounds; round += 1) {
    const met = Array.from({ length: chance(5) }, () => chance(troubles.length));
    site.meet(refreshPath, ...met.flatMap((index) => troubles[index]?.(chance) ?? []));
    const deed = chance(deeds.length);
    const before = site.seen(refreshPath).length;
    await deeds[deed]?.(site, tabs, chance);
    // What is left of the trouble may meet the next tab; four at most are left.
    const statuses = new Set<number | undefined>();
    for (let tries = 0; tries < 3 && (tries === 0 || statuses.has(undefined)); tries += 1) {
      statuses.clear();
      for (const status of await Promise.all(tabs.map(statusOf))) statuses.add(status);
    }
    const asked = site.seen(refreshPath).slice(before);
    const story = asked.map(({ key, cookie }) => `${key?.slice(0, 14)} with …${cookie?.slice(-6)}`).join("\n");
    assert.deepEqual([...statuses], [200], `seed ${seed}, round ${round}: deed ${deed}, troubles ${met}\n${story}`);
  }
  const count = await all<number>(
    tabs.slice(0, 1),
    "client.fetch('/users/me/sessions').then((answer) => answer.json()).then(({ items }) => items.length)",
  );
  assert.deepEqual(count, [1], "one session all the time");
});
