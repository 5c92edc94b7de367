import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { pino } from "pino";
import { systemClock } from "../../src/platform/clock.ts";
import { createTraceExporter } from "../../src/platform/telemetry/trace-exporter.ts";
import type { Lifetime } from "../support/test-database.ts";
import { createTestServer } from "../support/test-server.ts";

type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[];
  readonly status?: { readonly code: number };
};

type Received = { readonly headers: IncomingMessage["headers"]; readonly url: string; readonly body: string };

/** A collector on a free port; `answer` says how it answers. */
async function startCollector(t: Lifetime, answer = (response: ServerResponse): unknown => response.end("{}")) {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    received.push({ headers: request.headers, url: request.url ?? "", body: await text(request) });
    answer(response);
  };
  const server = createServer((request, response) => void take(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const spans = (): Span[] =>
    received.flatMap(({ body }) => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, spans };
}

function attributesOf({ attributes }: Span): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? ""]));
}

test("each request is a span by its route, with what it waited for under it, and no secret in it", async (t) => {
  const collector = await startCollector(t);
  const server = await createTestServer({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20canary-key,x-tenant=a",
    EMAIL_VERIFICATION: "off",
  });
  const made = await server.signUp("alice@example.com", "canary-password");
  await server.request("GET", `/users/me?token=canary-query`, { token: made.token });
  const refused = await server.request("GET", "/canary-path/x");
  server.platform.switches?.outage.begin(60_000);
  await server.request("GET", "/users/me", { token: made.token });
  server.platform.switches?.outage.end();
  await server.close();

  const spans = collector.spans();
  const [first] = collector.received;
  assert.deepEqual(
    [first?.url, first?.headers["content-type"], first?.headers.authorization, first?.headers["x-tenant"]],
    ["/v1/traces", "application/json", "Bearer canary-key", "a"],
  );
  const requests = spans.filter(({ kind }) => kind === 2);
  assert.deepEqual(
    requests.map(({ name, status }) => `${name} ${status?.code ?? ""}`),
    ["POST /users/ ", "GET /users/me ", "no such route ", "GET /users/me 2"],
  );
  for (const span of spans) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
  }
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  const unknown = requests[2] ?? assert.fail();
  assert.deepEqual(attributesOf(unknown), {
    "http.request.method": "none",
    "http.route": "none",
    "http.response.status_code": "404",
    "tollgate.request_id": refused.headers["x-request-id"],
    "tollgate.gate": "route",
    "tollgate.code": "not-found",
    "tollgate.signed_in": "no",
  });
  // After the body was read, too, what is done belongs to the request.
  const [signUp] = requests;
  const parts = spans.filter(({ parentSpanId }) => parentSpanId === signUp?.spanId);
  assert.ok(parts.every(({ traceId, kind }) => traceId === signUp?.traceId && kind === 1));
  const names = new Set(parts.map(({ name }) => name));
  for (const name of ["hash hash", "database begin", "database insert", "database commit"])
    assert.ok(names.has(name), name);
  assert.doesNotMatch(collector.received.map(({ body }) => body).join("\n"), /canary|alice|203\.0\.113/);
});

test("a trace goes on only from a trusted proxy, which also decides whether it is recorded", async (t) => {
  const collector = await startCollector(t);
  const server = await createTestServer({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    TRUSTED_PROXIES: "192.0.2.10",
  });
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  const ask = (traceparent: string, address: string) =>
    server.request("GET", "/health/live", { address, headers: { traceparent } });
  await ask(`${parent}-01`, "192.0.2.10");
  await ask(`${parent}-00`, "192.0.2.10");
  await ask(`${parent}-01`, "203.0.113.7");
  for (const bad of [
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    "nonsense",
    `${parent}-01-more`,
    `ff${parent.slice(2)}-01`,
  ]) {
    await ask(bad, "192.0.2.10");
  }
  await server.close();
  const traces = collector.spans().map(({ traceId, parentSpanId }) => `${traceId} ${parentSpanId ?? ""}`);
  assert.equal(traces.length, 6, "what the proxy does not record is not recorded");
  assert.equal(traces[0], "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331");
  assert.ok(traces.slice(1).every((trace) => !trace.includes("0af76519") && trace.endsWith(" ")));
});

test("a collector that is away, refuses or hangs costs spans, and no request", async (t) => {
  const hanging = await startCollector(t, () => undefined);
  const refusing = await startCollector(t, (response) => response.writeHead(429).end());
  for (const endpoint of ["http://127.0.0.1:1", refusing.endpoint, hanging.endpoint]) {
    const lines: string[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, LIMIT_API: "off" };
    const server = await createTestServer(env, { log });
    const live = await Promise.all(Array.from({ length: 600 }, () => server.request("GET", "/health/live")));
    assert.ok(live.every(({ status }) => status === 200));
    await server.close();
    const { values } = await server.platform.metrics.spansDropped.get();
    assert.equal(values[0]?.value, 600, endpoint);
    assert.equal(lines.length, 1, lines.join(""));
    assert.match(lines[0] ?? "", /the collector of traces does not take them/);
  }
});

test("what there is no room for is dropped: the queue has a bound", async (t) => {
  const hanging = await startCollector(t, () => undefined);
  let dropped = 0;
  const exporter = createTraceExporter({
    address: hanging.endpoint,
    headers: {},
    clock: systemClock,
    log: pino({ level: "silent" }),
    onDropped: (spans) => (dropped += spans),
  });
  const ids = { traceId: "0".repeat(32), spanId: "0".repeat(16), parentSpanId: undefined };
  const span = {
    ...ids,
    name: "x",
    kind: "server",
    startedAt: 0,
    endedAt: 1,
    attributes: {},
    isFailed: false,
  } as const;
  for (let count = 0; count < 10_000; count += 1) exporter.add(span);
  assert.equal(dropped, 10_000 - 512 - 2_048, "one batch is on its way, the rest waits");
  await exporter.close();
  assert.equal(dropped, 10_000);
  exporter.add(span);
  assert.equal(dropped, 10_001, "nothing is kept for a time that does not come");
});

test("without a collector nothing is traced, and a share of none is none", async (t) => {
  const without = await createTestServer();
  assert.equal(without.platform.tracing, undefined);
  const collector = await startCollector(t);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: "0" };
  const none = await createTestServer(env);
  assert.equal((await none.request("GET", "/health/live")).status, 200);
  await none.close();
  assert.deepEqual(collector.received, []);
});
