import { type Cast, type Flow, flows } from "./enumeration-flows.ts";
import { compare, type Difference, trim } from "./statistics.ts";

export type FlowResult = {
  readonly flow: string;
  /** What differs in status, headers, body or size; empty is good. */
  readonly tellsApart: readonly string[];
  readonly time: Difference;
  /** Whether the times can be told apart: by more than a millisecond, and not by chance. */
  readonly isTimeTelling: boolean;
};

export type EnumerationOptions = {
  readonly url: string;
  readonly samples: number;
  readonly meanDifferenceMilliseconds: number;
  /** The names of those to prove; else all that this server offers. */
  readonly only?: readonly string[];
  readonly onSample?: (flow: string, done: number) => void;
};

/** Asks for one known and for unknown addresses in turn, in an order that changes, and compares all there is to see. */
export async function proveNoEnumeration(options: EnumerationOptions): Promise<readonly FlowResult[]> {
  const cast = await castFor(options.url);
  const results: FlowResult[] = [];
  for (const flow of flows) {
    const isWanted = options.only?.includes(flow.name) ?? true;
    if (isWanted && (await isOffered(options.url, flow, cast))) results.push(await proveFlow(options, flow, cast));
  }
  return results;
}

/**
 * A flow whose times can be told apart is asked again, and that counts: what else happens on the machine may slow down
 * a few of one kind, once; a leak is there again.
 */
async function proveFlow(options: EnumerationOptions, flow: Flow, cast: Cast): Promise<FlowResult> {
  const first = await sampleFlow(options, flow, cast);
  if (!first.isTimeTelling) return first;
  const again = await sampleFlow(options, flow, cast);
  return { ...again, tellsApart: [...new Set([...first.tellsApart, ...again.tellsApart])] };
}

async function sampleFlow(options: EnumerationOptions, flow: Flow, cast: Cast): Promise<FlowResult> {
  const { url, samples, meanDifferenceMilliseconds, onSample } = options;
  const times = { known: [] as number[], unknown: [] as number[] };
  const seen = { known: new Set<string>(), unknown: new Set<string>() };
  for (let sample = 0; sample < samples; sample += 1) {
    const order = sample % 2 === 0 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
    for (const kind of order) {
      const email = kind === "known" ? flow.known(cast) : unknownAddress();
      const { milliseconds, shape } = await ask(url, flow, email, cast);
      times[kind].push(milliseconds);
      seen[kind].add(shape);
    }
    onSample?.(flow.name, sample + 1);
  }
  const time = compare(trim(times.known), trim(times.unknown));
  const isLarge = Math.abs(time.meanDifference) > meanDifferenceMilliseconds;
  const isNoChance = time.tProbability < 0.01 && time.distanceProbability < 0.01;
  const tellsApart = [...seen.known.symmetricDifference(seen.unknown)];
  return { flow: flow.name, tellsApart, time, isTimeTelling: isLarge && isNoChance };
}

/** Of nobody, and another one each time. */
function unknownAddress(): string {
  return `other-${crypto.randomUUID()}@example.com`;
}

type Throwaway = { readonly token: string; readonly user: { readonly email: string } };

/** Development makes accounts that have confirmed their address; elsewhere a sign-up must do, and nobody is signed in. */
async function castFor(url: string): Promise<Cast> {
  const pending = `known-${crypto.randomUUID()}@example.com`;
  await signUp(url, pending);
  const [known, stranger] = [await throwaway(url), await throwaway(url)];
  return { known: known?.user.email ?? pending, pending, strangerToken: stranger?.token };
}

async function throwaway(url: string): Promise<Throwaway | undefined> {
  const response = await post(url, "/dev/accounts", { role: "user" });
  return response.status === 201 ? ((await response.json()) as Throwaway) : undefined;
}

async function signUp(url: string, email: string): Promise<void> {
  const response = await post(url, "/users/", { email, password: "a password of the one who is known" });
  if (response.status === 429) throw new Error("the sign-up was answered 429: wait, or set LIMIT_SIGN_UP to off.");
  // 202 where a sign-up answers everybody the same.
  if (response.status !== 201 && response.status !== 202)
    throw new Error(`the account to be known was not made: ${response.status} ${await response.text()}`);
}

/** Whether this server has the flow, and promises that it tells nothing: a sign-up does so with a mail alone. */
async function isOffered(url: string, flow: Flow, cast: Cast): Promise<boolean> {
  if (flow.isSignedIn && cast.strangerToken === undefined) return false;
  const response = await send(url, flow, unknownAddress(), cast);
  const answer = (await response.json()) as { readonly code?: string };
  return answer.code !== "switched-off" && response.status !== 201;
}

async function ask(
  url: string,
  flow: Flow,
  email: string,
  cast: Cast,
): Promise<{ readonly milliseconds: number; readonly shape: string }> {
  const startedAt = performance.now();
  const response = await send(url, flow, email, cast);
  const text = await response.text();
  const milliseconds = performance.now() - startedAt;
  if (response.status === 429) {
    throw new Error(`${flow.name} was answered 429: set ${flow.limits} to off for the proof.`);
  }
  const answer = JSON.parse(text) as Record<string, unknown>;
  delete answer["request_id"];
  delete answer["flow"]; // By chance, and of one length.
  const headers = [...response.headers.keys()].toSorted().join(" ");
  return {
    milliseconds,
    shape: `${response.status} ${text.length} bytes, headers ${headers}, body ${JSON.stringify(answer)}`,
  };
}

function send(url: string, { path, body, isSignedIn }: Flow, email: string, cast: Cast): Promise<Response> {
  return post(url, path, body(email), isSignedIn ? cast.strangerToken : undefined);
}

function post(url: string, path: string, body: unknown, token?: string): Promise<Response> {
  return fetch(url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
}
