import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, Server, type SecureContextOptions } from "node:tls";
import type { Config } from "../../config.ts";
import type { Platform } from "../platform.ts";
import { StartError } from "../start-error.ts";

/** RFC 9325 §3.1.1: nothing before TLS 1.2. */
const minVersion = "TLSv1.2";
const expiresSoonMilliseconds = 7 * 86_400_000;

/** The certificate of this server and its key, from files that somebody renews. */
export type TlsFiles = {
  /** What is in force. */
  readonly options: () => SecureContextOptions;
  /**
   * Reads the files again; call it every second. The server uses a new pair from then on; connections that are open keep
   * theirs. A broken one is logged once, when it is there at two looks: who renews them may write one after the other.
   */
  readonly look: (server: object) => Promise<void>;
  /** What somebody should do before clients notice. */
  readonly warning: () => string | undefined;
};

type Pair = { readonly certificate: string; readonly key: string };

/**
 * @throws StartError when there is no good pair
 */
export function openTlsFiles({ config, clock, log }: Pick<Platform, "config" | "clock" | "log">): TlsFiles | undefined {
  const { tls } = config;
  if (tls === undefined) return undefined;
  let pair = readPair(tls);
  const firstFault = faultOf(tls, pair);
  if (firstFault !== undefined) throw new StartError(`${firstFault}.`);
  let [suspect, fault]: [Pair | undefined, string | undefined] = [undefined, undefined];
  return {
    options: () => optionsOf(pair),
    look: async (server) => {
      const found = readPair(tls);
      if (isSame(found, pair)) {
        [suspect, fault] = [undefined, undefined];
        return;
      }
      const foundFault = faultOf(tls, found);
      if (foundFault === undefined) {
        [pair, suspect, fault] = [found, undefined, undefined];
        if (server instanceof Server) server.setSecureContext(optionsOf(pair));
        log.info({ valid_to: new X509Certificate(pair.certificate).validTo }, "a new TLS certificate is in force");
        return;
      }
      if (suspect !== undefined && isSame(found, suspect) && fault === undefined) {
        fault = foundFault;
        log.error(`${fault}: the former TLS certificate stays in force`);
      }
      if (suspect === undefined || !isSame(found, suspect)) [suspect, fault] = [found, undefined];
    },
    warning: () => {
      if (fault !== undefined) return `tls: ${fault}. The former certificate stays in force.`;
      const { validToDate } = new X509Certificate(pair.certificate);
      if (validToDate.getTime() - clock.now() > expiresSoonMilliseconds) return undefined;
      return `tls: the certificate is good until ${validToDate.toISOString()}. Put a new one into ${tls.certificatePath}.`;
    },
  };
}

type Paths = NonNullable<Config["tls"]>;

/** What cannot be read is empty. */
function readPair({ certificatePath, keyPath }: Paths): Pair {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  return { certificate: read(certificatePath), key: read(keyPath) };
}

function isSame(one: Pair, other: Pair): boolean {
  return one.certificate === other.certificate && one.key === other.key;
}

function optionsOf({ certificate, key }: Pair): SecureContextOptions {
  return { cert: certificate, key, minVersion };
}

/** In words, without an end; undefined when the pair is good. Never with anything of the key in it. */
function faultOf({ certificatePath, keyPath }: Paths, pair: Pair): string | undefined {
  if (pair.certificate === "") return `TLS_CERT_FILE=${certificatePath} cannot be read, or is empty`;
  if (pair.key === "") return `TLS_KEY_FILE=${keyPath} cannot be read, or is empty`;
  const certificate = attempt(() => new X509Certificate(pair.certificate));
  if (certificate === undefined) return `TLS_CERT_FILE=${certificatePath} holds no certificate in PEM`;
  const key = attempt((): KeyObject => createPrivateKey(pair.key));
  if (key === undefined) return `TLS_KEY_FILE=${keyPath} holds no private key in PEM, or one with a passphrase`;
  if (!certificate.checkPrivateKey(key)) {
    return `TLS_KEY_FILE=${keyPath} is not the key of the first certificate in TLS_CERT_FILE=${certificatePath}`;
  }
  if (attempt(() => createSecureContext(optionsOf(pair))) !== undefined) return undefined;
  return `TLS_CERT_FILE=${certificatePath} and its key cannot be used: OpenSSL takes them for too weak or its chain for broken`;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
