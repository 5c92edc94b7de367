import { Type } from "typebox";
import { asCached } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Sessions } from "./sessions.ts";

/** How long a verifier may keep the key set. A new key must be published at least so long before it signs. */
export const jwksMaxAgeSeconds = 300;

export function sessionRoutes(sessions: Sessions): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/.well-known/jwks.json",
      tag: "Tokens",
      summary: "The public keys that access tokens are signed with",
      description: "A JWK Set (RFC 7517). With HS256 there is no public key and the set is empty.",
      access: "public",
      limit: "unlimited",
      success: {
        status: 200,
        description: "The keys.",
        schema: Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) }, { title: "JwkSet" }),
      },
      problems: [],
      handle: async (_request, reply) => asCached(reply, JSON.stringify(sessions.publicJwks()), { mediaType: "application/json; charset=utf-8", maxAgeSeconds: jwksMaxAgeSeconds }),
    }),
  ];
}
