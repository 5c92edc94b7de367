import { createHash } from "node:crypto";

/** A Lua script that is asked about one key (KEYS[1]), so that it runs whole on one node of a Cluster, in one round trip. */
export type RedisScript = {
  /** For metrics. */
  readonly name: string;
  readonly lua: string;
  /** By which EVALSHA names it: SHA-1 in hexadecimal, because Redis says so. */
  readonly sha: string;
  /** It answers about many keys in one call, where they live on one node. */
  readonly isForMany: boolean;
};

export function redisScript(name: string, lua: string): RedisScript {
  return { name, lua, sha: createHash("sha1").update(lua).digest("hex"), isForMany: false };
}

/**
 * A script that is asked about many keys, with one argument each, and answers as if it had been called for each in turn.
 * What fails, fails for its own key alone.
 *
 * @param lua has a function `answer(key, argument)`, which gives back three values
 */
export function redisScriptForMany(name: string, lua: string): RedisScript {
  const script = redisScript(
    name,
    `${lua}
local answers, last = {}, 0
for index = 1, #KEYS do
  local isDone, first, second, third = pcall(answer, KEYS[index], ARGV[index])
  if not isDone then
    -- Before what Redis says there may be the place in the script, which differs by version.
    first = { err = string.match(first, "%u%u+ .*") or "ERR " .. first }
    second, third = 0, 0
  end
  answers[last + 1], answers[last + 2], answers[last + 3] = first, second, third
  last = last + 3
end
return answers
`,
  );
  return { ...script, isForMany: true };
}
