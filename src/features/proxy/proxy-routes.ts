import { type Static, Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import { wayOf, type Way } from "../../platform/http/way.ts";
import type { Platform } from "../../platform/platform.ts";
import { createSingleFlight } from "../../platform/single-flight.ts";
import { answerNonce, echoPath, examineProxy, type ProxyReport } from "./proxy.ts";

const textOrNull = Type.Union([Type.String(), Type.Null()]);

const WayBody = Type.Object(
  {
    peer: Type.String({ description: "The other end of the socket: the last proxy, or the client itself." }),
    forwarded_for: textOrNull,
    forwarded: textOrNull,
    forwarded_proto: textOrNull,
    forwarded_host: textOrNull,
    scheme: Type.Enum(["http", "https"], { description: "Of the connection to this server, not of the client's." }),
    host: textOrNull,
    client_address: Type.String({ description: "Whom this server takes for the client." }),
    limiter_key: Type.String({ description: "By what limits per client address are counted." }),
  },
  { title: "RequestWay" },
);
type WayBody = Static<typeof WayBody>;

const ProxyCheckBody = Type.Object(
  {
    public_url: Type.String(),
    trusted_proxies: Type.Array(Type.String()),
    state: Type.Enum(["ok", "warning", "failed"]),
    found: Type.String({ description: "What the round trip came to, in a sentence." }),
    cure: textOrNull,
    setting: Type.Union([Type.String(), Type.Null()], { description: "The line to set, whole." }),
    round_trip: Type.Union([WayBody, Type.Null()], { description: "How it arrived; null when it did not." }),
    this_request: WayBody,
  },
  { title: "ProxyCheck" },
);

export function proxyRoutes(platform: Platform): readonly AnyRoute[] {
  return [checkRoute(platform), echoRoute(platform)];
}

function checkRoute({ config, secrets, realClock }: Platform): AnyRoute {
  const { publicUrl, trustedProxies } = config;
  const once = createSingleFlight<ProxyReport>();
  return route({
    method: "GET",
    url: "/admin/proxy",
    tag: "Administration",
    summary: "Is the client's address believed from the right proxies?",
    description:
      "Makes one round trip through PUBLIC_URL, and nowhere else, and shows how it arrived, what was made of it, and which setting to change. Several who ask at once share one.",
    access: "system:read",
    limit: "api",
    success: { status: 200, description: "What was found.", schema: ProxyCheckBody },
    problems: [],
    handle: async ({ origin }, reply) => {
      const { verdict, way } = await once("check", () =>
        examineProxy({ publicUrl, trustedProxies, secrets, clock: realClock }),
      );
      return {
        public_url: publicUrl,
        trusted_proxies: [...trustedProxies],
        ...verdict,
        round_trip: way === null ? null : wayBody(way),
        this_request: wayBody(wayOf(reply.request.raw, origin.address)),
      };
    },
  });
}

/** Answers its own kind alone: for anybody without a fresh nonce it is not there. */
function echoRoute(platform: Platform): AnyRoute {
  return route({
    method: "GET",
    url: echoPath,
    tag: "Operation",
    summary: "How this request came here, for who has a nonce of this installation",
    access: "public",
    limit: "api",
    hidden: true,
    query: Type.Object({ nonce: Type.Optional(Type.String({ maxLength: 128 })) }),
    success: { status: 200, description: "The way." },
    problems: ["not-found"],
    handle: async ({ query: { nonce = "" }, origin }, reply) => {
      const echo = answerNonce(platform, nonce, wayOf(reply.request.raw, origin.address));
      if (echo === undefined) throw new Problem("not-found");
      reply.header("cache-control", "no-store");
      return echo;
    },
  });
}

function wayBody(way: Way): WayBody {
  return {
    peer: way.peer,
    forwarded_for: way.forwardedFor,
    forwarded: way.forwarded,
    forwarded_proto: way.forwardedProto,
    forwarded_host: way.forwardedHost,
    scheme: way.scheme,
    host: way.host,
    client_address: way.clientAddress,
    limiter_key: way.limiterKey,
  };
}
