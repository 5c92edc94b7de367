import type { Answer } from "../server.ts";
import type { As, LiveRequest } from "../parts/live-request.ts";
import type { Person } from "../parts/people.ts";

type Sender = "nobody" | "user" | "administrator";

/** A request that leads to a card's own. */
export type CardStep = { readonly as: Sender; readonly times: number; readonly request: LiveRequest };

/** What the Lab sends for one status. */
export type Card = {
  readonly status: number;
  readonly as: Sender;
  /** What is sent first. */
  readonly before?: readonly CardStep[];
  /** How often: the limit is met by asking too often. */
  readonly times?: number;
  /** Switches the database off first. */
  readonly withoutDatabase?: true;
  /** The request; `user` is there where `about` says that it speaks of one. */
  readonly about?: "user";
  readonly request: (user: Person | undefined) => LiveRequest;
};

const json = "content-type: application/json";
const get = (path: string): LiveRequest => ({ method: "GET", path, headers: "", body: "" });
const post = (path: string, body: string, headers = json): LiveRequest => ({ method: "POST", path, headers, body });
const lines = (body: unknown): string => JSON.stringify(body, null, 2);
const password = "correct horse battery staple";
/** One more than the 64 KiB that the server reads. */
const tooLong = "a".repeat(64 * 1024);

export const cards: readonly Card[] = [
  { status: 200, as: "user", request: () => get("/users/me") },
  {
    status: 201,
    as: "nobody",
    request: () => post("/users/", lines({ email: `lab-${crypto.randomUUID().slice(0, 8)}@example.com`, password })),
  },
  {
    status: 204,
    as: "user",
    about: "user",
    request: (user) => ({ method: "DELETE", path: `/users/${user?.id ?? "{id}"}`, headers: "", body: "" }),
  },
  { status: 401, as: "nobody", request: () => get("/users/me") },
  { status: 403, as: "user", request: () => get("/admin/users") },
  { status: 404, as: "user", request: () => get("/users/999999999") },
  {
    status: 409,
    as: "nobody",
    about: "user",
    request: (user) => post("/users/", lines({ email: user?.email ?? "alice@example.com", password })),
  },
  { status: 422, as: "nobody", request: () => post("/users/", lines({ email: "alice", password: "short" })) },
  {
    status: 429,
    as: "nobody",
    times: 6,
    request: () => get(`/users/limited?client_id=lab-${crypto.randomUUID().slice(0, 8)}`),
  },
  { status: 503, as: "user", withoutDatabase: true, request: () => get("/users/me") },
];

export const moreCards: readonly Card[] = [
  { status: 400, as: "nobody", request: () => post("/auth/login", `{"email": "alice@example.com", "password": `) },
  {
    status: 405,
    as: "nobody",
    request: () => ({ method: "PUT", path: "/users/limited?client_id=lab", headers: "", body: "" }),
  },
  {
    status: 413,
    as: "nobody",
    request: () => post("/auth/login", lines({ email: "a@example.com", password: tooLong })),
  },
  {
    status: 415,
    as: "nobody",
    request: () => post("/auth/login", "email=alice@example.com", "content-type: application/x-www-form-urlencoded"),
  },
];

/** What a server in production lets the Lab play: nobody, and who is signed in. */
export function playedAs(as: Sender, isDevelopment: boolean): As {
  return isDevelopment || as === "nobody" ? as : "me";
}

/** The card's request, with what it speaks of put in. */
export async function fillCard(card: Card, getUser: () => Promise<Answer<Person>>): Promise<Answer<LiveRequest>> {
  if (card.about === undefined) return { data: card.request(undefined) };
  const user = await getUser();
  return "data" in user ? { data: card.request(user.data) } : user;
}
