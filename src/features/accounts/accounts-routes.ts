import { Type } from "typebox";
import { hasPermission } from "../../contract/permissions.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { administeredUserBody, deleteAccount, findAccountFor, changeProfile, UserBody, userBody } from "./accounts.ts";

const UserId = Type.Object({ id: Type.Integer({ description: "The number of the account." }) });

const DisplayName = Type.Union([
  Type.String({ minLength: 1, maxLength: 100, pattern: String.raw`^[^\p{Cc}\p{Cs}]+$` }),
  Type.Null(),
]);

const Locale = Type.Union([
  Type.String({ maxLength: 35, pattern: "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples: ["de-AT"] }),
  Type.Null(),
]);

const tag = "Accounts";

export function accountRoutes(platform: Platform): readonly AnyRoute[] {
  return [...ownAccountRoutes(platform), ...accountByIdRoutes(platform), limitedRoute];
}

function ownAccountRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/users/me",
      tag,
      summary: "Who am I?",
      description: "The account behind the token, as it is now.",
      access: "signed-in",
      limit: "api",
      success: { status: 200, description: "The account.", schema: UserBody },
      problems: [],
      ofAccountAlone: true,
      handle: ({ caller }) => userBody(caller.account),
    }),
    route({
      method: "PATCH",
      url: "/users/me",
      tag,
      summary: "Change my profile",
      access: "signed-in",
      limit: "api",
      body: Type.Object(
        { display_name: Type.Optional(DisplayName), locale: Type.Optional(Locale) },
        { additionalProperties: false, title: "ProfileChange" },
      ),
      success: { status: 200, description: "The account with the change.", schema: UserBody },
      problems: [],
      handle: async ({ body, caller, origin }) => userBody(await changeProfile(platform, caller, body, origin)),
    }),
  ];
}

function accountByIdRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/users/:id",
      tag,
      summary: "Read an account",
      description: "Oneself, or anyone with the permission users:read.",
      access: "signed-in",
      limit: "api",
      params: UserId,
      success: { status: 200, description: "The account.", schema: UserBody },
      problems: ["user-not-found"],
      handle: async ({ params, caller }) => {
        const account = await findAccountFor(platform, caller, params.id, "users:read");
        return hasPermission(caller.account.role, "users:read") ? administeredUserBody(account) : userBody(account);
      },
    }),
    route({
      method: "DELETE",
      url: "/users/:id",
      tag,
      summary: "Delete an account",
      description:
        "Oneself, or anyone with the permission users:delete. Cannot be undone, so the sign-in must be recent.",
      access: "signed-in",
      fresh: true,
      limit: "api",
      params: UserId,
      success: { status: 204, description: "The account is gone." },
      problems: ["user-not-found", "last-admin"],
      handle: async ({ params, caller, origin }) => deleteAccount(platform, caller, params.id, origin),
    }),
  ];
}

const limitedRoute = route({
  method: "GET",
  url: "/users/limited",
  tag: "Limits",
  summary: "Five requests a minute",
  description:
    "The tutorial's rate limit, for each client_id: an exact sliding window. The figures are null when the limit is off.",
  access: "public",
  limit: "limited",
  limitKey: clientIdOf,
  query: Type.Object({ client_id: Type.String({ minLength: 1, maxLength: 256 }) }),
  success: {
    status: 200,
    description: "Accepted.",
    schema: Type.Object(
      {
        message: Type.Literal("OK"),
        client_id: Type.String(),
        remaining: Type.Union([Type.Integer(), Type.Null()]),
        limit: Type.Union([Type.Integer(), Type.Null()]),
        window_seconds: Type.Union([Type.Integer(), Type.Null()]),
      },
      { title: "Limited" },
    ),
  },
  problems: [],
  handle: async ({ query, counted }) => ({
    message: "OK" as const,
    client_id: query.client_id,
    remaining: counted?.decision.remaining ?? null,
    limit: counted?.limit.quota ?? null,
    window_seconds: counted?.limit.windowSeconds ?? null,
  }),
});

/** Longer ones than the schema allows are cut: `validate` refuses them, and memory stays bounded. */
function clientIdOf(query: unknown): string | undefined {
  const { client_id: clientId } = query as { client_id?: unknown };
  return typeof clientId === "string" && clientId !== "" ? clientId.slice(0, 1024) : undefined;
}
