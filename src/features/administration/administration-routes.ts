import type { FastifyReply } from "fastify";
import { Type, type Static } from "typebox";
import { roles } from "../../contract/permissions.ts";
import { timestamp } from "../../platform/clock.ts";
import { linkNext, pageLengthDefault, pageOf, pageQuery } from "../../platform/http/cursors.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { administeredUserBody, changeAccount, findAccount, UserBody } from "../accounts/accounts.ts";
import { findLastSignIn } from "../audit/audit.ts";
import { countLivingSessions } from "../sessions/sessions.ts";
import { readAccountPage } from "./administration.ts";

const tag = "Administration";

const ListQuery = Type.Object({
  ...pageQuery,
  q: Type.Optional(
    Type.String({
      maxLength: 100,
      description:
        "Only accounts with these words: each is the beginning of a word of the e-mail address or the display name.",
    }),
  ),
  role: Type.Optional(Type.Enum([...roles])),
  disabled: Type.Optional(Type.Boolean()),
});

const UserList = pageOf(UserBody, "UserList");

const UserDetails = Type.Object(
  {
    ...UserBody.properties,
    living_sessions: Type.Integer(),
    last_sign_in_at: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  },
  { title: "UserDetails" },
);

const params = Type.Object({ id: Type.Integer({ description: "The number of the account." }) });

export function administrationRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    listRoute(platform, "/admin/users"),
    listRoute(platform, "/users/"),
    detailsRoute(platform),
    changeRoute(platform),
  ];
}

function detailsRoute(platform: Platform): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/users/:id",
    tag,
    summary: "Read an account with what an administrator needs to know",
    access: "users:read",
    limit: "api",
    params,
    success: { status: 200, description: "The account.", schema: UserDetails },
    problems: ["user-not-found"],
    handle: async ({ params: { id } }) => {
      const account = await findAccount(platform, id);
      const lastSignInAt = await findLastSignIn(platform, id);
      return {
        ...administeredUserBody(account),
        living_sessions: await countLivingSessions(platform, id),
        last_sign_in_at: lastSignInAt === undefined ? null : timestamp(lastSignInAt),
      };
    },
  });
}

function changeRoute(platform: Platform): AnyRoute {
  return route({
    method: "PATCH",
    url: "/admin/users/:id",
    tag,
    summary: "Change an account's role, disable or enable it, make it change its password",
    description:
      "Takes effect at the account's next request. Disabling ends its sessions. So does `password_change_required`: the next sign-in must then bring a new password.",
    access: "users:write",
    limit: "api",
    params,
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
  });
}

function listRoute(platform: Platform, url: "/admin/users" | "/users/"): AnyRoute {
  return route({
    method: "GET",
    url,
    tag,
    summary: "List accounts",
    description:
      "A page at a time; `Link: rel=next` leads on. In the order of their ids; with `q` in the order of the words that its first word begins. A page may be shorter than asked for, even empty, while there are more.",
    access: "users:read",
    limit: "api",
    query: ListQuery,
    success: { status: 200, description: "A page of accounts.", schema: UserList },
    problems: [],
    handle: async ({ query }, reply) => answerPage(platform, query, reply),
  });
}

async function answerPage(
  platform: Platform,
  query: Static<typeof ListQuery>,
  reply: FastifyReply,
): Promise<Static<typeof UserList>> {
  const { cursor, limit = pageLengthDefault, q: text, role, disabled } = query;
  const { accounts, nextCursor } = await readAccountPage(platform, { cursor, limit, text, role, disabled });
  linkNext(reply, query, nextCursor);
  return { items: accounts.map(administeredUserBody), next_cursor: nextCursor };
}
