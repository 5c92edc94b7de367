import assert from "node:assert/strict";
import { test } from "node:test";
import { createRouter, type Found, type Router } from "./router.ts";

const routes = [
  { method: "GET", path: "/users/:id" },
  { method: "DELETE", path: "/users/:id" },
  { method: "POST", path: "/users" },
  { method: "PATCH", path: "/users/me" },
  { method: "GET", path: "/users/me" },
  { method: "GET", path: "/users/limited" },
  { method: "GET", path: "/users/:id/sessions" },
];
const inOrder = createRouter(routes);
const reversed = createRouter(routes.toReversed());

/** What was found, as one line. */
function told(find: Router, request: string): string {
  const [method = "", path = ""] = request.split(" ");
  let found: Found;
  try {
    found = find(method, path);
  } catch (error) {
    return assert.fail(`The router threw for ${request}: ${String(error)}. Anybody can send any path.`);
  }
  if (found.status === 404) return "404";
  if (found.status === 405) return `405 allow ${found.allow.join(", ")}`;
  const params = Object.entries(found.params).map(([name, value]) => ` ${name}=${value}`);
  return `${found.route.method} ${found.route.path}${params.join("")}`;
}

function requireFound(request: string, expected: string, because: string): void {
  for (const [find, order] of [
    [inOrder, "as the routes stand in the list"],
    [reversed, "with the list upside down"],
  ] as const) {
    const seen = told(find, request);
    assert.equal(seen, expected, `${request} led to ${seen} (${order}). It must lead to ${expected}: ${because}`);
  }
}

test("a parameter fits one part of a path", () => {
  requireFound("GET /users/7", "GET /users/:id id=7", "7 is the id.");
  requireFound("DELETE /users/7", "DELETE /users/:id id=7", "7 is the id.");
});

test("fixed words win, wherever they stand", () => {
  requireFound("GET /users/me", "GET /users/me", "me is a fixed word there, and no id.");
  requireFound("GET /users/limited", "GET /users/limited", "limited is a fixed word there, and no id.");
});

test("a longer path is another path", () => {
  requireFound("GET /users/7/sessions", "GET /users/:id/sessions id=7", "each part of a path counts.");
  requireFound("GET /users/7/photos", "404", "no route has such a path.");
  requireFound("GET /users/7/sessions/8", "404", "no route has such a path.");
});

test("a slash at the end does not matter", () => {
  requireFound("GET /users/me/", "GET /users/me", "the slash adds nothing.");
  requireFound("POST /users/", "POST /users", "the slash adds nothing.");
  requireFound("GET /users/7/", "GET /users/:id id=7", "the slash adds nothing.");
});

test("an empty part is no id", () => {
  requireFound("DELETE /users/", "405 allow POST", "there is no id in it, and /users has only POST.");
  requireFound("GET /users//sessions", "404", "there is no id in it.");
});

test("a value is decoded", () => {
  requireFound("GET /users/a%20b", "GET /users/:id id=a b", "%20 is a space.");
  requireFound("GET /users/%zz", "404", "%zz cannot be decoded.");
});

test("an unknown path is 404", () => {
  requireFound("GET /", "404", "no route has such a path.");
  requireFound("GET /user/me", "404", "no route has such a path.");
});

test("a known path with another method is 405, and says which it has", () => {
  requireFound("PUT /users/7", "405 allow DELETE, GET", "the path is there, the method is not.");
  requireFound("GET /users", "405 allow POST", "the path is there, the method is not.");
});

test("the winning path decides about the method", () => {
  requireFound("DELETE /users/me", "405 allow GET, PATCH", "/users/me has no DELETE, and me is no id.");
});
