import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Gate } from "../../contract/gates.ts";
import type { LimitName } from "../../contract/limits.ts";
import { hasPermission } from "../../contract/permissions.ts";
import { Problem, type Fault } from "../../contract/problems.ts";
import { type Awaitable, whenThere } from "../awaitable.ts";
import type { Platform } from "../platform.ts";
import { rateLimitHeaders } from "../rate-limit/rate-limit-headers.ts";
import { takeLimit, type TakenLimit } from "../rate-limit/take-limit.ts";
import { countHeader, isAnonymous, readBearerToken, type Authenticate, type Caller } from "./access.ts";
import { addressKey } from "./client-address.ts";
import type { GateTrail } from "./gate-trail.ts";
import type { AnyRoute } from "./route.ts";
import { isFromThisMachine } from "./this-machine.ts";
import { isMetricsToken } from "../telemetry/metrics-token.ts";
import { convertText, type Checker } from "./validation.ts";

/** A route as the gates see it. `undefined` in a request whose path or method there is not. */
export type GuardedRoute = {
  readonly definition: AnyRoute;
  readonly check: { readonly path: Checker; readonly query: Checker; readonly body: Checker };
};

/** What gates and handlers read of a request. Fastify's has it all; see direct-answers.ts for another. */
export type GatedRequest = {
  readonly id: string;
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
};

/** What gates have to do with an answer: some tell of themselves in its headers. */
export type GatedReply = { readonly headers: (headers: Record<string, string>) => unknown };

/** One request on its way. The gates fill it in; the handler reads it. */
export type Passage = {
  readonly platform: Platform;
  readonly authenticate: Authenticate;
  request: GatedRequest;
  reply: GatedReply;
  readonly route: GuardedRoute | undefined;
  /** For a known path with another method: what may be used. */
  readonly allowedMethods: string | undefined;
  readonly address: string;
  readonly trail: GateTrail;
  /** Found out before the limit gate, which counts by user; judged at the authenticate gate. */
  identity: Identity;
  counted: TakenLimit | undefined;
  /** As the schemas want them, once `validate` was passed. */
  query: Record<string, unknown>;
  params: Record<string, unknown>;
};

export type Identity =
  | { readonly kind: "anonymous" }
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly error: unknown };

type Step = { readonly gate: Gate; readonly pass: (passage: Passage) => Awaitable<string> };

/**
 * The gates, in order. Each returns what it saw, in words, or throws the problem it refuses with.
 * The first four stand before the body is read, so a stranger's body is never parsed; `validate` before the handler.
 * The last two are the handler itself: a problem thrown there names its gate, and what a part that is away throws
 * becomes one of `depend` (see problem-details.ts).
 */
export const gatesBeforeBody: readonly Step[] = [
  { gate: "route", pass: passRoute },
  { gate: "limit", pass: passLimit },
  { gate: "authenticate", pass: passAuthenticate },
  { gate: "authorize", pass: passAuthorize },
];
export const gatesBeforeHandler: readonly Step[] = [{ gate: "validate", pass: passValidate }];
export const gatesOfHandler: readonly Gate[] = ["handle", "depend"];

/**
 * Takes a request through some gates, in order, writing its trail. Stops at the first that throws. A promise only if one
 * of them has to wait.
 */
export function passGates(steps: readonly Step[], passage: Passage, from = 0): Awaitable<void> {
  for (let index = from; index < steps.length; index += 1) {
    const { gate, pass } = steps[index] as Step;
    const saw = pass(passage);
    if (typeof saw !== "string") {
      return saw.then((sawLater) => {
        passage.trail.passed(gate, sawLater);
        return passGates(steps, passage, index + 1);
      });
    }
    passage.trail.passed(gate, saw);
  }
}

function passRoute(passage: Passage): Awaitable<string> {
  const { request, route } = passage;
  if (!isReadOneWay(request)) throw new Problem("malformed-request");
  return route === undefined ? refuseRoute(passage) : route.definition.url;
}

async function refuseRoute(passage: Passage): Promise<never> {
  const { allowedMethods } = passage;
  // Guessing at paths is limited like everything else.
  await countRequest(passage, "api", `address:${addressKey(passage.address)}`);
  if (allowedMethods === undefined) throw new Problem("not-found");
  throw new Problem("method-not-allowed", { headers: { allow: allowedMethods } });
}

// Node accepts what a proxy in front may read otherwise: a request without a version (HTTP/0.9), two Hosts or, in
// HTTP/1.1, none, and another server's target (RFC 9112 §3.2).
function isReadOneWay({ raw, url }: GatedRequest): boolean {
  const hosts = countHeader(raw, "host");
  const isHostClear = hosts === 1 || (hosts === 0 && raw.httpVersion === "1.0");
  return raw.httpVersionMajor === 1 && isHostClear && url.startsWith("/");
}

function passLimit(passage: Passage): Awaitable<string> {
  if (isAnonymous(knownRoute(passage).definition.access)) return passOwnLimit(passage);
  return whenThere(identify(passage), (identity) => {
    passage.identity = identity;
    return passOwnLimit(passage);
  });
}

function passOwnLimit(passage: Passage): Awaitable<string> {
  const { definition } = knownRoute(passage);
  if (definition.limit === "unlimited") return "no limit here";
  const key = definition.limitKey ? definition.limitKey(passage.request.query) : callerKey(passage);
  if (key === undefined) return "nothing to count by";
  return countRequest(passage, definition.limit, key);
}

/** After the route gate there is one. */
function knownRoute({ route }: Passage): GuardedRoute {
  if (route === undefined) throw new Error("A request came past the route gate without a route.");
  return route;
}

function callerKey({ identity, address }: Passage): string {
  return identity.kind === "caller" ? `account:${identity.caller.account.id}` : `address:${addressKey(address)}`;
}

function countRequest(passage: Passage, name: LimitName, key: string): Awaitable<string> {
  if (passage.platform.config.limits[name] === undefined) return `${name} is off`;
  return whenThere(takeLimit(passage.platform, name, key), (taken) => {
    if (taken === undefined) return `${name} is not counted now`;
    passage.counted = taken;
    passage.reply.headers(rateLimitHeaders(taken));
    return `${name}, ${taken.decision.remaining} of ${taken.limit.quota} left`;
  });
}

function identify({ request, authenticate }: Passage): Awaitable<Identity> {
  // Kept for the next gate: a request with a bad token, or with the database away, is counted all the same.
  const refused = (error: unknown): Identity => ({ kind: "refused", error });
  try {
    const token = readBearerToken(request.raw, request.query);
    if (token === undefined) return anonymous;
    const answer = authenticate(token);
    return answer instanceof Promise ? answer.then(identityOf).catch(refused) : identityOf(answer);
  } catch (error) {
    return refused(error);
  }
}

const anonymous: Identity = { kind: "anonymous" };

function identityOf(answer: Awaited<ReturnType<Authenticate>>): Identity {
  if ("refused" in answer) return { kind: "refused", error: new Problem(answer.refused) };
  return { kind: "caller", caller: answer };
}

function passAuthenticate(passage: Passage): string {
  const { definition } = knownRoute(passage);
  const { identity, platform } = passage;
  if (definition.access === "metrics-token") return passMetricsToken(passage);
  if (isAnonymous(definition.access)) return "open to anyone";
  if (identity.kind === "refused") throw identity.error;
  if (identity.kind === "anonymous") throw new Problem("token-missing");
  const { caller } = identity;
  const ageMilliseconds = platform.clock.now() - caller.authenticatedAt;
  if (definition.fresh && ageMilliseconds > platform.config.reauthenticationAgeSeconds * 1000) {
    throw new Problem("reauthentication-required");
  }
  return `account ${caller.account.id}`;
}

function passMetricsToken({ platform, request }: Passage): string {
  const token = readBearerToken(request.raw, request.query);
  if (token === undefined) throw new Problem("token-missing");
  if (!isMetricsToken(platform, token)) throw new Problem("token-invalid");
  return "METRICS_TOKEN";
}

/** Whether who asked may still have the answer: for one that goes on for long. Any doubt is a no. */
export async function isStillAllowed(passage: Passage): Promise<boolean> {
  try {
    const now = { ...passage, identity: await identify(passage) };
    passAuthenticate(now);
    passAuthorize(now);
    return true;
  } catch {
    return false;
  }
}

function passAuthorize(passage: Passage): string {
  const { access } = knownRoute(passage).definition;
  const { identity, request } = passage;
  if (access === "this-machine") {
    if (isFromThisMachine(request.raw)) return "from this machine";
    throw new Problem("not-this-machine");
  }
  if (access === "public" || access === "signed-in") return access === "public" ? "open to anyone" : "any account";
  if (access === "metrics-token") return "whoever has METRICS_TOKEN";
  if (identity.kind === "caller" && hasPermission(identity.caller.account.role, access)) return access;
  throw new Problem("permission-denied", {
    detail: `This needs the permission ${access}, which your role does not have. An administrator can give you another role.`,
    members: { missing_permission: access },
  });
}

function passValidate(passage: Passage): string {
  const { request, identity } = passage;
  const { definition, check } = knownRoute(passage);
  if (hasNothingToValidate(definition)) return "well formed";
  const params = definition.params ? convertText(definition.params, request.params) : {};
  const query = definition.query ? convertText(definition.query, request.query) : {};
  const caller = identity.kind === "caller" ? identity.caller : undefined;
  const errors: Fault[] = [...check.path(params), ...check.query(query), ...check.body(request.body)];
  const known = new Set(errors.map(({ pointer }) => pointer));
  // A fault of the schema is the plainer one; a rule speaks where the schema is content.
  for (const fault of definition.rules?.(request.body, caller) ?? []) {
    if (!known.has(fault.pointer)) errors.push(fault);
  }
  if (errors.length > 0) throw new Problem("validation-failed", { members: { errors } });
  Object.assign(passage, { params, query });
  return "well formed";
}

function hasNothingToValidate({ params, query, body, rules }: AnyRoute): boolean {
  return (params ?? query ?? body ?? rules) === undefined;
}
