import type { Platform } from "../platform.ts";

const purpose = "metrics token";

/** Whether this is METRICS_TOKEN. Tags are compared, of one length and in constant time; without the setting nothing is. */
export function isMetricsToken({ config, secrets }: Pick<Platform, "config" | "secrets">, given: string): boolean {
  const { token } = config.metrics;
  return token !== undefined && secrets.isTag(purpose, token, secrets.tag(purpose, given));
}
