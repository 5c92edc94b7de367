import type { Config } from "../config.ts";
import { examineProxy, type ProxyReport } from "../features/proxy/proxy.ts";
import { systemClock } from "../platform/clock.ts";
import { createSecrets, findSecretKey } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import type { Check } from "./check.ts";

const name = "proxy";

/** Goes once through PUBLIC_URL. Where nobody answers, as before the first start, the settings alone are judged. */
export async function checkProxy(config: Config): Promise<Check> {
  const report = await examine(config);
  if (report === undefined || report.reached === "unreached") {
    const fromSettings = judgeSettings(config);
    return { ...fromSettings, found: `${fromSettings.found} Nobody answers at PUBLIC_URL now.` };
  }
  const { verdict, way } = report;
  const seen =
    way && `Seen: peer ${way.peer}, X-Forwarded-For ${way.forwardedFor ?? "none"}, client ${way.clientAddress}.`;
  const found = seen === null ? verdict.found : `${verdict.found} ${seen}`;
  return { name, state: verdict.state, found, ...(verdict.cure === null ? {} : { cure: verdict.cure }) };
}

/** undefined without a secret: then there was no server yet. */
async function examine({ publicUrl, trustedProxies, ...config }: Config): Promise<ProxyReport | undefined> {
  try {
    const secretKey = config.secretKey ?? (config.dataDirectory && findSecretKey(config.dataDirectory));
    if (secretKey === undefined) return undefined;
    return await examineProxy({ publicUrl, trustedProxies, secrets: createSecrets(secretKey), clock: systemClock });
  } catch (error) {
    if (error instanceof StartError) return undefined; // The line about the keys says it.
    throw error;
  }
}

function judgeSettings({ publicUrl, trustedProxies, tls }: Config): Check {
  if (trustedProxies.length > 0) return { name, state: "ok", found: `Believed: ${trustedProxies.join(", ")}.` };
  if (tls !== undefined) {
    const found = "None is needed: this server speaks TLS, and the client's address is the socket's.";
    return { name, state: "ok", found };
  }
  if (publicUrl.startsWith("https:")) {
    const found = "PUBLIC_URL is https, which a proxy must speak, and none is named: all clients share its address.";
    return { name, state: "warning", found, cure: "Set TRUSTED_PROXIES to the address of the proxy." };
  }
  return { name, state: "ok", found: "None is believed: the client's address is the socket's." };
}
