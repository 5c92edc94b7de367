import { Cluster, type Redis as Single } from "ioredis";
import type { RedisClient } from "./redis-client.ts";

const scannedAtOnce = 1_000;
/** A Redis full of other programs' keys is not searched to its end. */
const scansPerNodeMax = 200;

/**
 * The strings whose names begin so, with their lengths in bytes; of more than `countMax` only some. A page at a time,
 * so that what others ask of Redis comes between.
 */
export async function lengthsOf(client: RedisClient, prefix: string, countMax: number): Promise<Map<string, number>> {
  const lengths = new Map<string, number>();
  for (const node of client instanceof Cluster ? client.nodes("master") : [client]) {
    let cursor = "0";
    for (let scans = 0; scans < scansPerNodeMax && lengths.size < countMax; scans += 1) {
      const [next, names] = await node.scan(cursor, "MATCH", `${literally(prefix)}*`, "COUNT", scannedAtOnce);
      await addLengths(node, names.slice(0, countMax - lengths.size), lengths);
      cursor = next;
      if (cursor === "0") break;
    }
  }
  return lengths;
}

async function addLengths(node: Single, names: readonly string[], lengths: Map<string, number>): Promise<void> {
  const pipeline = node.pipeline();
  for (const name of names) pipeline.strlen(name);
  const answers = (await pipeline.exec()) ?? [];
  for (const [index, [error, length]] of answers.entries()) {
    const name = names[index];
    // Gone in between, or moved to another node: then it is not among the busiest either.
    if (name !== undefined && error === null && typeof length === "number" && length > 0) lengths.set(name, length);
  }
}

function literally(text: string): string {
  return text.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`);
}
