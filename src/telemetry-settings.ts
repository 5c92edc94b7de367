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
};

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
