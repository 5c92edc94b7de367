-- One request after the other, with the tokens, cookies and bodies of the files in turn.
local function lines(name)
  local found = {}
  for line in io.lines(os.getenv(name)) do found[#found + 1] = line end
  return found
end

local tokens, cookies, bodies = lines("BENCH_TOKENS"), lines("BENCH_COOKIES"), lines("BENCH_BODIES")
local refreshTokens = lines("BENCH_REFRESH_TOKENS")
local method = os.getenv("BENCH_METHOD")
local count = 0

function request()
  count = count + 1
  local headers, body = {}, nil
  if #tokens > 0 then headers["authorization"] = "Bearer " .. tokens[count % #tokens + 1] end
  if #cookies > 0 then headers["cookie"] = cookies[count % #cookies + 1] end
  if #bodies > 0 then
    headers["content-type"] = "application/json"
    body = bodies[count % #bodies + 1]
  end
  if response ~= nil then
    headers["content-type"] = "application/json"
    body = '{"refresh_token":"' .. table.remove(refreshTokens) .. '"}'
  end
  return wrk.format(method, nil, headers, body)
end

-- As many tokens as there are connections: each is in use, or its successor came with the answer. (One more is lost:
-- wrk asks for a request that it does not send.)
if #refreshTokens > 0 then
  function response(_, _, body)
    refreshTokens[#refreshTokens + 1] = body:match('"refresh_token":"([^"]+)"')
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failures":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
