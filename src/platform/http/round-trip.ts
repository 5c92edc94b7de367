import { once } from "node:events";
import type { IncomingMessage } from "node:http";

export type RoundTripAnswer = {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
  /** Our end of the connection: who sees it as its peer has nobody between. */
  readonly localAddress: string;
  readonly localPort: number;
};

export type RoundTripBounds = { readonly milliseconds: number; readonly bytesMax: number };

/** Nobody answered as HTTP. `reason` is a word or two, as ECONNREFUSED. */
export class Unreached extends Error {
  override readonly name = "Unreached";
  readonly reason: string;

  constructor(reason: string) {
    super(`no answer: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Asks once, by a connection of its own, and follows no redirect. The address is the caller's to vouch for: it must never
 * come from a request.
 *
 * @throws Unreached
 */
export async function askOnce(
  address: URL,
  headers: Readonly<Record<string, string>>,
  { milliseconds, bytesMax }: RoundTripBounds,
): Promise<RoundTripAnswer> {
  const signal = AbortSignal.timeout(milliseconds);
  const { request } = process.getBuiltinModule(address.protocol === "https:" ? "node:https" : "node:http");
  const asked = request(address, { agent: false, headers: { ...headers, connection: "close" }, signal });
  try {
    asked.end();
    const [answer] = (await once(asked, "response", { signal })) as [IncomingMessage];
    const { localAddress = "", localPort = 0 } = answer.socket;
    const text = await textOf(answer, bytesMax);
    return { status: answer.statusCode ?? 0, location: answer.headers.location, text, localAddress, localPort };
  } catch (error) {
    throw new Unreached(signal.aborted ? `nothing within ${milliseconds} ms` : reasonOf(error));
  } finally {
    // Whatever still comes, or breaks, is nobody's business any more.
    asked.on("error", () => undefined).destroy();
  }
}

async function textOf(answer: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
