import type { Platform } from "../../platform/platform.ts";
import { addKeyUse, deleteKeyUseBefore } from "./signing-keys-store.ts";

const hourMilliseconds = 3_600_000;
const hoursKept = 48;

export type KeyUsage = {
  /** A genuine token of this key was seen. Counts in memory: it is on the path of every request. */
  readonly saw: (keyId: string) => void;
  /** Writes what was counted since the last time. */
  readonly flush: () => Promise<void>;
};

/** Counts the tokens of each key, so that an operator sees when nobody uses an old one any more. */
export function createKeyUsage(platform: Pick<Platform, "db" | "clock">): KeyUsage {
  let counts = new Map<string, number>();
  return {
    saw: (keyId) => void counts.set(keyId, (counts.get(keyId) ?? 0) + 1),
    flush: async () => {
      if (counts.size === 0) return;
      const flushed = counts;
      counts = new Map();
      const lastSeenAt = platform.clock.now();
      const hour = Math.floor(lastSeenAt / hourMilliseconds);
      for (const [keyId, tokensSeen] of flushed) await addKeyUse(platform, { keyId, hour, tokensSeen, lastSeenAt });
      await deleteKeyUseBefore(platform, hour - hoursKept);
    },
  };
}
