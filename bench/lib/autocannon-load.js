// The same load as load.lua makes, where there is no wrk.
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const {
  url,
  method = "GET",
  connections,
  seconds,
  tokens = [],
  cookies = [],
  bodies = [],
  refreshTokens = [],
} = JSON.parse(readFileSync(process.argv[2], "utf8"));
// Each connection has a context of its own.
const refreshes = {
  method,
  headers: { "content-type": "application/json" },
  setupRequest: (request, context) => {
    context.token ??= refreshTokens.pop();
    return { ...request, body: JSON.stringify({ refresh_token: context.token }) };
  },
  onResponse: (_status, body, context) => {
    context.token = JSON.parse(body).refresh_token;
  },
};
const plain = Array.from({ length: Math.max(1, tokens.length, cookies.length, bodies.length) }, (_, index) => ({
  method,
  headers: {
    ...(tokens.length > 0 ? { authorization: `Bearer ${tokens[index % tokens.length]}` } : {}),
    ...(cookies.length > 0 ? { cookie: cookies[index % cookies.length] } : {}),
    ...(bodies.length > 0 ? { "content-type": "application/json" } : {}),
  },
  ...(bodies.length > 0 ? { body: bodies[index % bodies.length] } : {}),
}));
const requests = refreshTokens.length > 0 ? [refreshes] : plain;
const result = await autocannon({ url, connections, duration: seconds, requests });
const { errors, timeouts, non2xx, latency, duration } = result;
console.log(
  `RESULT ${JSON.stringify({ requests: result.requests.total, seconds: duration, p50: latency.p50, p99: latency.p99, failures: errors + timeouts + non2xx })}`,
);
