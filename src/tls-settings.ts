import { resolve } from "node:path";
import { setting } from "./setting.ts";
import type { Parsed } from "./setting-parsers.ts";

/** Where the certificate is and its key, when this server speaks TLS itself. */
export type TlsConfig = { readonly certificatePath: string; readonly keyPath: string };

const parsePath = (text: string): Parsed<string | undefined> => ({ value: text === "" ? undefined : resolve(text) });

export const tlsSettings = {
  certificate: setting({
    name: "TLS_CERT_FILE",
    meaning: "The certificate with its chain, when this server speaks TLS itself; read again when it changes.",
    bounds: "the path of a PEM file; together with TLS_KEY_FILE",
    example: "/etc/tollgate/tls.crt",
    defaultShown: "none: plain HTTP, behind a proxy that speaks TLS",
    otherwise: "",
    parse: parsePath,
  }),
  key: setting({
    name: "TLS_KEY_FILE",
    meaning: "The private key of TLS_CERT_FILE.",
    bounds: "the path of a PEM file; together with TLS_CERT_FILE",
    example: "/etc/tollgate/tls.key",
    defaultShown: "none",
    otherwise: "",
    parse: parsePath,
  }),
};

/** What is wrong with them together, each a sentence. */
export function tlsFaults(
  env: Readonly<Record<string, string | undefined>>,
  { tls, publicUrl }: { readonly tls: TlsConfig | undefined; readonly publicUrl: string },
): string[] {
  const names = [tlsSettings.certificate.name, tlsSettings.key.name];
  const [missing, ...more] = names.filter((name) => (env[name] ?? "") === "");
  if (missing !== undefined && more.length === 0) {
    const given = names.find((name) => name !== missing);
    return [`${missing} must be set where ${given} is: a certificate and its key go together.`];
  }
  if (tls === undefined || publicUrl.startsWith("https:")) return [];
  return ["PUBLIC_URL must be https where TLS_CERT_FILE is set: write https:// with the name in the certificate."];
}
