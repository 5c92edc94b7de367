import type { Platform } from "../../platform/platform.ts";
import { countTotals, type Totals } from "./overview-store.ts";

/** Counting takes no more than this share of the time, however many look and however many there are. */
const shareOfTimeMax = 1 / 20;

/** The totals as they are now or were a moment ago. Several who ask together get one count. */
export function createTotals(platform: Pick<Platform, "db" | "clock" | "config">): () => Promise<Totals> {
  const { clock } = platform;
  let underWay: Promise<Totals> | undefined;
  let latest: { readonly totals: Totals; readonly goodUntil: number } | undefined;
  const count = async (): Promise<Totals> => {
    const startedAt = clock.monotonicNow();
    const totals = await countTotals(platform);
    const endedAt = clock.monotonicNow();
    latest = { totals, goodUntil: endedAt + (endedAt - startedAt) / shareOfTimeMax };
    return totals;
  };
  return async () => {
    if (latest !== undefined && clock.monotonicNow() < latest.goodUntil) return latest.totals;
    underWay ??= count().finally(() => (underWay = undefined));
    return underWay;
  };
}
