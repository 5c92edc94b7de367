/**
 * The scripts that count in Redis. A key is a string: the times of the accepted requests, oldest first, in microseconds
 * of Redis's clock, eight bytes each. Those that have left their window stay at its beginning for a while, for to take
 * one away is to write all others anew: until they are 8 and no fewer than those that count, or 32 and a 64th of them.
 *
 * Redis runs a script whole before anything else, so checking and counting are one step for all processes. It also runs
 * one script at a time, so that its own time is what all of them share. What costs is each call of Redis from inside,
 * not what is reckoned between: a window of up to 64 is read in one call, and a number is given as text where it is
 * constant.
 */
import { redisScript, redisScriptForMany, type RedisScript } from "../redis/redis-script.ts";

/** `text` is what was read of the key already: its first 512 bytes at most. An index is from 0. */
const timesLua = `
local call, pack, unpack = redis.call, struct.pack, struct.unpack
local function timeAt(key, text, index)
  local at = index * 8
  if at < #text then return (unpack("<d", text, at + 1)) end
  return (unpack("<d", call("GETRANGE", key, at, at + 7)))
end
-- How many are not later than that time.
local function countUntil(key, text, count, time)
  local low, high = 0, count
  while low < high do
    local middle = (low + high - (low + high) % 2) / 2
    if timeAt(key, text, middle) > time then high = middle else low = middle + 1 end
  end
  return low
end
`;

/**
 * The argument: the quota and the window in microseconds. Answers: how many are counted, 0 or below when refused; when
 * the oldest one leaves, in microseconds from now; and the time that was counted or, refused, when a place is free (from
 * now). A key is kept for a second longer than its window, so none goes a hair too early.
 *
 * @param clock sets the local `now`
 */
export const takeScript = (clock: string): RedisScript =>
  redisScriptForMany(
    "take",
    `${timesLua}
${clock}
local nowPacked, halfSecond = pack("<d", now), now - now % 500000
local quotas, windows = {}, {}
local function answer(key, limit)
  local quota, window = quotas[limit], windows[limit]
  if not quota then
    quota, window = string.match(limit, "(%d+) (%d+)")
    quota, window = tonumber(quota), tonumber(window)
    quotas[limit], windows[limit] = quota, window
  end
  local text = call("GETRANGE", key, "0", "511")
  local held, isWhole = #text / 8, #text < 512
  if held == 0 then
    call("SET", key, nowPacked, "PX", math.ceil(window / 1000) + 1000)
    return 1, window, now
  end
  local newest
  if isWhole then
    newest = unpack("<d", text, #text - 7)
  else
    held = call("STRLEN", key) / 8
    newest = unpack("<d", call("GETRANGE", key, "-8", "-1"))
  end
  if newest > now then
    -- Somebody set the clock back: what was counted is as if counted now, and leaves a window from now at the latest.
    local kept = countUntil(key, text, held, now)
    call("SETRANGE", key, kept * 8, string.rep(nowPacked, held - kept))
    text, newest = call("GETRANGE", key, "0", "511"), now
  end
  local left, gone, oldest = 0, now - window, unpack("<d", text)
  if oldest <= gone then
    left = countUntil(key, text, held, gone)
    oldest = left < held and timeAt(key, text, left) or now
  end
  local count = held - left
  if count < quota then
    if left >= 8 and (left >= count or (left >= 32 and left * 64 >= count)) then
      local counted = isWhole and string.sub(text, left * 8 + 1) or call("GETRANGE", key, left * 8, "-1")
      call("SET", key, counted .. nowPacked, "PX", math.ceil(window / 1000) + 1000)
    else
      call("APPEND", key, nowPacked)
      if newest < halfSecond then call("PEXPIRE", key, math.ceil(window / 1000) + 1000) end
    end
    return count + 1, oldest - gone, now
  end
  local reset = oldest - gone
  -- More than the quota are counted when it was made smaller: then the oldest ones that are too many must leave too.
  if count > quota then oldest = timeAt(key, text, held - quota) end
  return -count, reset, oldest - gone
end
`,
  );

/** ARGV: the quota, the window, how many ages at most. Answers: how many are counted, when a place is free, their ages. */
export const inspectScript = (clock: string): RedisScript =>
  redisScript(
    "inspect",
    `${timesLua}
${clock}
local key, quota, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local text, held = call("GETRANGE", key, "0", "511"), call("STRLEN", key) / 8
local used = held - countUntil(key, text, held, now - window)
local free = used >= quota and timeAt(key, text, held - quota) + window - now or 0
local ages = {} -- Newest first.
for index = 1, math.min(used, tonumber(ARGV[3])) do
  ages[index] = math.max(0, now - timeAt(key, text, held - index))
end
return { used, free, ages }
`,
  );

/** ARGV: the time. Those of the same microsecond are alike. What has left its window is found for nothing. */
export const giveBackScript = redisScript(
  "give-back",
  `${timesLua}
local key, time = KEYS[1], tonumber(ARGV[1])
local held = call("STRLEN", key) / 8
local last = countUntil(key, "", held, time) - 1
if last < 0 or timeAt(key, "", last) ~= time then return 0 end
if held == 1 then return call("DEL", key) end
local text = call("GETRANGE", key, "0", "-1")
call("SET", key, string.sub(text, 1, last * 8) .. string.sub(text, last * 8 + 9), "KEEPTTL")
return 1
`,
);
