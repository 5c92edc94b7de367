import type { Clock } from "../../platform/clock.ts";
import { addressOfHop } from "../../platform/http/client-address.ts";
import { askOnce, Unreached, type RoundTripAnswer } from "../../platform/http/round-trip.ts";
import { shownText } from "../../platform/http/shown-text.ts";
import { inventedAddress, type Way } from "../../platform/http/way.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Secrets } from "../../platform/secrets.ts";
import { judge, type RoundTrip, type Verdict } from "./proxy-verdict.ts";

export type ProxyReport = {
  readonly reached: RoundTrip["kind"];
  readonly verdict: Verdict;
  readonly way: Way | null;
};

/** What the asking end needs; a command has it without a running server. */
export type Asker = {
  readonly publicUrl: string;
  readonly trustedProxies: readonly string[];
  readonly secrets: Pick<Secrets, "tag" | "isTag" | "randomText">;
  readonly clock: Pick<Clock, "now">;
};

/** Where the way of a request is told back, to who has made a nonce under SECRET_KEY. */
export const echoPath = "/proxy-check";

const nonceLifetimeMilliseconds = 30_000;
const bounds = { milliseconds: 3_000, bytesMax: 16 * 1024 };
const locationLengthMax = 200;
const noncePurpose = "proxy check, asked";
const proofPurpose = "proxy check, answered";

/** Goes once through PUBLIC_URL, from here and back to here or to another instance, and judges what was seen. */
export async function examineProxy(asker: Asker): Promise<ProxyReport> {
  const trip = await roundTrip(asker);
  const verdict = judge(asker.publicUrl, asker.trustedProxies, trip);
  return { reached: trip.kind, verdict, way: trip.kind === "seen" ? trip.way : null };
}

async function roundTrip({ publicUrl, secrets, clock }: Asker): Promise<RoundTrip> {
  const made = `${clock.now() + nonceLifetimeMilliseconds}.${secrets.randomText(16)}`;
  const nonce = `${made}.${secrets.tag(noncePurpose, made)}`;
  // PUBLIC_URL and nothing else: nobody who asks for a check chooses where it goes.
  const address = new URL(`${echoPath}?nonce=${nonce}`, publicUrl);
  try {
    const answer = await askOnce(address, { "x-forwarded-for": inventedAddress, accept: "application/json" }, bounds);
    return read(answer, (proof) => secrets.isTag(proofPurpose, nonce, proof));
  } catch (error) {
    if (error instanceof Unreached) return { kind: "unreached", reason: error.reason };
    throw error;
  }
}

function read(answer: RoundTripAnswer, isProof: (text: string) => boolean): RoundTrip {
  const { status, location, text, localAddress, localPort } = answer;
  const echo = status === 200 ? parseEcho(text) : undefined;
  if (echo === undefined || !isProof(echo.proof)) {
    const shown =
      location === undefined ? null : (shownText(location).slice(0, locationLengthMax).split(/[?#]/, 1)[0] ?? null);
    return { kind: "stranger", status, location: shown };
  }
  const { way } = echo;
  const isDirect = way.peerPort === localPort && addressOfHop(way.peer) === addressOfHop(localAddress);
  return { kind: "seen", way: { ...way, peer: addressOfHop(way.peer) ?? way.peer }, isDirect };
}

type Echo = { readonly proof: string; readonly way: Way };

/** Its proof is judged after: what has it was written by us. */
function parseEcho(text: string): Echo | undefined {
  try {
    const echo: unknown = JSON.parse(text);
    const isEcho =
      typeof echo === "object" && echo !== null && "proof" in echo && typeof echo.proof === "string" && "way" in echo;
    return isEcho ? (echo as Echo) : undefined;
  } catch {
    return undefined;
  }
}

/** What the other end answers to a nonce of ours that is not too old; undefined for any other. */
export function answerNonce(
  { secrets, realClock }: Pick<Platform, "secrets" | "realClock">,
  nonce: string,
  way: Way,
): Echo | undefined {
  const [expiresAt = "", random = "", tag = "", ...more] = nonce.split(".");
  if (more.length > 0 || !/^\d{1,15}$/.test(expiresAt)) return undefined;
  if (!secrets.isTag(noncePurpose, `${expiresAt}.${random}`, tag)) return undefined;
  const isFresh = Math.abs(Number(expiresAt) - realClock.now()) <= 2 * nonceLifetimeMilliseconds;
  return isFresh ? { proof: secrets.tag(proofPurpose, nonce), way } : undefined;
}
