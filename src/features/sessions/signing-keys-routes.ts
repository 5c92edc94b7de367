import { Type } from "typebox";
import { Problem } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { listSigningKeys, rotateKeys, SigningKeyBody, signingKeyBody } from "./key-rotation.ts";
import type { Sessions } from "./sessions.ts";

const tag = "Administration";
const keysShownMax = 100;

export function signingKeyRoutes(platform: Platform, sessions: Pick<Sessions, "reloadKeys">): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/admin/keys",
      tag,
      summary: "The keys that sign access tokens",
      description: `As \`tollgate keys list\` tells them, the newest first; at most ${keysShownMax}.`,
      access: "system:read",
      limit: "api",
      success: {
        status: 200,
        description: "The keys, without their private halves.",
        schema: Type.Object(
          { token_algorithm: Type.Enum(["ES256", "EdDSA", "HS256"]), items: Type.Array(SigningKeyBody) },
          { title: "SigningKeyList" },
        ),
      },
      problems: [],
      handle: async () => ({
        token_algorithm: platform.config.tokenAlgorithm,
        items: (await listSigningKeys(platform)).slice(-keysShownMax).toReversed().map(signingKeyBody),
      }),
    }),
    rotateRoute(platform, sessions),
  ];
}

function rotateRoute(platform: Platform, sessions: Pick<Sessions, "reloadKeys">): AnyRoute {
  return route({
    method: "POST",
    url: "/admin/keys/rotate",
    tag,
    summary: "Make the next signing key",
    description:
      "Published at once, signing when every verifier must have it. The former key is honoured until its last token has expired. The sign-in must be recent.",
    access: "keys:write",
    fresh: true,
    limit: "api",
    success: {
      status: 201,
      description: "The key that will sign.",
      schema: Type.Object(
        {
          id: Type.String(),
          signs_at: Type.String({ format: "date-time" }),
          former_retires_at: Type.String({ format: "date-time" }),
        },
        { title: "KeyRotation" },
      ),
    },
    problems: ["rotation-pending", "nothing-to-rotate"],
    handle: async ({ caller, origin: { requestId, address } }) => {
      const rotation = await rotateKeys(platform, { actorId: caller.account.id, requestId, address });
      if (rotation.outcome === "no-keys") throw new Problem("nothing-to-rotate");
      if (rotation.outcome === "pending") {
        const members = { key_id: rotation.keyId, signs_at: timestamp(rotation.signsAt) };
        throw new Problem("rotation-pending", { members });
      }
      await sessions.reloadKeys();
      return {
        id: rotation.keyId,
        signs_at: timestamp(rotation.signsAt),
        former_retires_at: timestamp(rotation.formerRetiresAt),
      };
    },
  });
}
