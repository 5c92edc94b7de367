import { compare, type Difference, trim } from "./statistics.ts";

/** A flow that must not tell whether an account exists: a request for an address. */
export type Flow = {
  readonly name: string;
  readonly request: (email: string) => { readonly path: string; readonly body: unknown };
};

/** Every such flow; a later one is one more row. */
const flows: readonly Flow[] = [
  {
    name: "login",
    request: (email) => ({ path: "/auth/login", body: { email, password: "not the password of anybody" } }),
  },
];

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
  readonly onSample?: (done: number) => void;
};

/** Asks for one known and for unknown addresses in turn, in an order that changes, and compares all there is to see. */
export async function proveNoEnumeration(options: EnumerationOptions): Promise<readonly FlowResult[]> {
  const { url, samples, meanDifferenceMilliseconds, onSample } = options;
  const known = `known-${crypto.randomUUID()}@example.com`;
  await signUp(url, known);
  const results: FlowResult[] = [];
  for (const flow of flows) {
    const times = { known: [] as number[], unknown: [] as number[] };
    const seen = { known: new Set<string>(), unknown: new Set<string>() };
    for (let sample = 0; sample < samples; sample += 1) {
      const order = sample % 2 === 0 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
      for (const kind of order) {
        const email = kind === "known" ? known : `other-${crypto.randomUUID()}@example.com`;
        const { milliseconds, shape } = await ask(url, flow, email);
        times[kind].push(milliseconds);
        seen[kind].add(shape);
      }
      onSample?.(sample + 1);
    }
    const time = compare(trim(times.known), trim(times.unknown));
    const isLarge = Math.abs(time.meanDifference) > meanDifferenceMilliseconds;
    const isNoChance = time.tProbability < 0.01 && time.distanceProbability < 0.01;
    const tellsApart = [...seen.known.symmetricDifference(seen.unknown)];
    results.push({ flow: flow.name, tellsApart, time, isTimeTelling: isLarge && isNoChance });
  }
  return results;
}

async function signUp(url: string, email: string): Promise<void> {
  const response = await post(url, "/users/", { email, password: "a password of the one who is known" });
  if (response.status === 429) throw new Error("the sign-up was answered 429: wait, or set LIMIT_SIGN_UP to off.");
  if (response.status !== 201)
    throw new Error(`the account to be known was not made: ${response.status} ${await response.text()}`);
}

async function ask(
  url: string,
  flow: Flow,
  email: string,
): Promise<{ readonly milliseconds: number; readonly shape: string }> {
  const { path, body } = flow.request(email);
  const startedAt = performance.now();
  const response = await post(url, path, body);
  const text = await response.text();
  const milliseconds = performance.now() - startedAt;
  if (response.status === 429) {
    throw new Error(
      `${flow.name} was answered 429: set LIMIT_LOGIN_ADDRESS and LIMIT_LOGIN_ACCOUNT to off for the proof.`,
    );
  }
  const answer = JSON.parse(text) as Record<string, unknown>;
  delete answer["request_id"];
  const headers = [...response.headers.keys()].toSorted().join(" ");
  return {
    milliseconds,
    shape: `${response.status} ${text.length} bytes, headers ${headers}, body ${JSON.stringify(answer)}`,
  };
}

function post(url: string, path: string, body: unknown): Promise<Response> {
  return fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
}
