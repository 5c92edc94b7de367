import { type ProxyProcess, type ProxyProgram, startProxyProcess, without } from "./proxy-process.ts";
import type { Lifetime } from "./test-database.ts";

const haproxy: ProxyProgram = { path: "/usr/sbin/haproxy", args: (config) => ["-db", "-f", config] };

export const withoutHaproxy = (): string | false => without(haproxy);

/** Debian's haproxy; see {@link startProxyProcess}. */
export async function startHaproxy(t: Lifetime, config: string, ports: readonly number[]): Promise<ProxyProcess> {
  return await startProxyProcess(t, haproxy, config, ports);
}
