import type { FastifyReply } from "fastify";
import { Type, type Static } from "typebox";
import { roles } from "../../contract/permissions.ts";
import { Problem } from "../../contract/problems.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { administeredUserBody, changeAccount, UserBody } from "../accounts/accounts.ts";
import { readAccountPage } from "./administration.ts";

const pageLengthDefault = 50;
const pageLengthMax = 200;

const ListQuery = Type.Object({
  cursor: Type.Optional(Type.String({ maxLength: 128, description: "`next_cursor` of the page before." })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageLengthMax, default: pageLengthDefault })),
  q: Type.Optional(
    Type.String({ maxLength: 100, description: "Only accounts whose e-mail or display name contains this." }),
  ),
});

const UserList = Type.Object(
  { items: Type.Array(UserBody), next_cursor: Type.Union([Type.String(), Type.Null()]) },
  { title: "UserList" },
);

export function administrationRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    listRoute(platform, "/admin/users"),
    listRoute(platform, "/users/"),
    route({
      method: "PATCH",
      url: "/admin/users/:id",
      tag: "Administration",
      summary: "Change an account's role, disable or enable it, make it change its password",
      description:
        "Takes effect at the account's next request. Disabling ends its sessions. So does `password_change_required`: the next sign-in must then bring a new password.",
      access: "users:write",
      limit: "api",
      params: Type.Object({ id: Type.Integer({ description: "The number of the account." }) }),
      body: Type.Object(
        {
          role: Type.Optional(Type.Enum([...roles])),
          disabled: Type.Optional(Type.Boolean()),
          password_change_required: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false, title: "AccountChange" },
      ),
      success: { status: 200, description: "The account with the change.", schema: UserBody },
      problems: ["user-not-found", "last-admin"],
      handle: async ({ params, body, caller, origin }) =>
        administeredUserBody(await changeAccount(platform, caller, params.id, body, origin)),
    }),
  ];
}

function listRoute(platform: Platform, url: "/admin/users" | "/users/"): AnyRoute {
  return route({
    method: "GET",
    url,
    tag: "Administration",
    summary: "List accounts",
    description: "In the order of their ids, a page at a time. `Link: rel=next` leads on.",
    access: "users:read",
    limit: "api",
    query: ListQuery,
    success: { status: 200, description: "A page of accounts.", schema: UserList },
    problems: [],
    handle: async ({ query }, reply) => answerPage(platform, url, query, reply),
  });
}

async function answerPage(
  platform: Platform,
  url: string,
  { cursor, limit = pageLengthDefault, q: text }: Static<typeof ListQuery>,
  reply: FastifyReply,
): Promise<Static<typeof UserList>> {
  const page = await readAccountPage(platform, { cursor, limit, text });
  if (page === undefined) {
    const fault = { pointer: "?cursor", detail: "is not a cursor of this server; start without one", code: "cursor" };
    throw new Problem("validation-failed", { members: { errors: [fault] } });
  }
  const { accounts, nextCursor } = page;
  if (nextCursor !== null) {
    const next = new URLSearchParams({
      cursor: nextCursor,
      limit: String(limit),
      ...(text === undefined ? {} : { q: text }),
    });
    reply.header("link", `<${url}?${next}>; rel="next"`);
  }
  return { items: accounts.map(administeredUserBody), next_cursor: nextCursor };
}
