import { createHash } from "node:crypto";

/** A Lua script that works on one key (KEYS[1]), so that it runs whole on one node of a Cluster, in one round trip. */
export type RedisScript = {
  /** For metrics. */
  readonly name: string;
  readonly lua: string;
  /** By which EVALSHA names it: SHA-1 in hexadecimal, because Redis says so. */
  readonly sha: string;
};

export function redisScript(name: string, lua: string): RedisScript {
  return { name, lua, sha: createHash("sha1").update(lua).digest("hex") };
}
