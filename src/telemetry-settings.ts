import { isIP } from "node:net";
import { type Mode, type Setting, setting } from "./setting.ts";
import { type Parsed, parseWholeNumber } from "./setting-parsers.ts";

const metricsTokenLength = { min: 16, max: 256 };

/** What an operator watches the server by. */
export const telemetrySettings = {
  metricsPort: setting<number | undefined>({
    name: "METRICS_PORT",
    meaning: "A port of its own for /metrics, on HOST; without it and METRICS_TOKEN there is no such page.",
    bounds: "1 to 65535, another than PORT",
    example: "9464",
    defaultShown: "none",
    otherwise: "",
    parse: (text) => (text === "" ? { value: undefined } : parseWholeNumber(text, 1, 65_535)),
  }),
  metricsToken: setting({
    name: "METRICS_TOKEN",
    meaning: "The bearer token that opens /metrics; without METRICS_PORT the page is on PORT.",
    bounds: `${metricsTokenLength.min} to ${metricsTokenLength.max} letters, digits and . _ ~ + / = -`,
    example: "",
    secret: true,
    defaultShown: "none",
    otherwise: "",
    parse: parseMetricsToken,
  }),
  tracesEndpoint: setting({
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    meaning: "An OpenTelemetry collector that gets traces by OTLP over HTTP, in JSON; /v1/traces is added.",
    bounds: "an http or https address without credentials, query and fragment",
    example: "http://127.0.0.1:4318",
    defaultShown: "none",
    otherwise: "",
    parse: parseEndpoint,
  }),
  tracesHeaders: setting({
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    meaning: "Headers for the collector, as a key that it wants.",
    bounds: "name=value, comma separated, values percent-encoded",
    example: "",
    secret: true,
    defaultShown: "none",
    otherwise: "",
    parse: parseHeaders,
  }),
  tracesShare: setting({
    name: "OTEL_TRACES_SAMPLER_ARG",
    meaning: "The share of requests that are traced. A trace that a trusted proxy began goes on as it decided.",
    bounds: "0 to 1",
    example: "0.1",
    otherwise: "1",
    parse: parseShare,
  }),
};

function parseEndpoint(text: string): Parsed<string | undefined> {
  if (text === "") return { value: undefined };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !/[?#@\\\s]/.test(text);
  if (!isPlain) return { fault: "must be an http or https address without credentials, query and fragment" };
  return { value: `${url.href.replace(/\/+$/, "")}/v1/traces` };
}

function parseHeaders(text: string): Parsed<Readonly<Record<string, string>>> {
  const pairs =
    text === "" ? [] : text.split(",").map((pair) => /^\s*([\w-]{1,64})=([\x21-\x7e]{1,1024})\s*$/.exec(pair));
  const isGood = pairs.every((pair) => pair !== null && !/%(?![\da-f]{2})|%[01]|%7f/i.test(pair[2] ?? ""));
  if (!isGood) {
    return {
      fault: "must be name=value, comma separated, with values percent-encoded",
      cure: "write authorization=Bearer%20key",
    };
  }
  return { value: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", decodeURIComponent(pair?.[2] ?? "")])) };
}

function parseShare(text: string): Parsed<number> {
  return /^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/.test(text)
    ? { value: Number(text) }
    : { fault: "must be a number from 0 to 1" };
}

/** undefined: no traces. */
export type TracesConfig =
  | { readonly address: string; readonly headers: Readonly<Record<string, string>>; readonly share: number }
  | undefined;

export function readTraces(read: <T>(setting: Setting<T>) => T): TracesConfig {
  const address = read(telemetrySettings.tracesEndpoint);
  const headers = read(telemetrySettings.tracesHeaders);
  const share = read(telemetrySettings.tracesShare);
  return address === undefined ? undefined : { address, headers, share };
}

function parseMetricsToken(text: string): Parsed<string | undefined> {
  if (text === "") return { value: undefined };
  const { min, max } = metricsTokenLength;
  // What may stand after "Bearer" (RFC 6750 §2.1).
  if (/^[\w.~+/-]+=*$/.test(text) && text.length >= min && text.length <= max) return { value: text };
  return {
    fault: `must have ${min} to ${max} letters, digits and . _ ~ + / = -`,
    cure: "write the output of: openssl rand -hex 32",
  };
}

export type MetricsConfig = {
  /** undefined: on the port of everything else, if there is a token. */
  readonly port: number | undefined;
  /** undefined: whoever reaches the port may read. */
  readonly token: string | undefined;
};

export function readMetrics(read: <T>(setting: Setting<T>) => T): MetricsConfig {
  return { port: read(telemetrySettings.metricsPort), token: read(telemetrySettings.metricsToken) };
}

/** What does not go together: one port for two servers, and figures for everybody who can reach the machine. */
export function metricsFaults({
  mode,
  host,
  port,
  metrics,
}: {
  readonly mode: Mode;
  readonly host: string;
  readonly port: number;
  readonly metrics: MetricsConfig;
}): string[] {
  if (metrics.port === undefined) return [];
  if (metrics.port === port) return [`METRICS_PORT must be another port than PORT=${port}: write METRICS_PORT=9464.`];
  if (mode === "development" || metrics.token !== undefined || isOwnMachine(host)) return [];
  return [
    `METRICS_PORT is open to everybody who reaches HOST=${host}: set METRICS_TOKEN, too, to the output of: openssl rand -hex 32.`,
  ];
}

function isOwnMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
