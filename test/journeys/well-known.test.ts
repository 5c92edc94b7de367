import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer } from "../support/test-server.ts";

test("password managers find the page where a password is changed", async () => {
  // W3C, A Well-Known URL for Changing Passwords §3 and §4.1
  const server = await createTestServer();
  for (const headers of [{}, { accept: "text/html" }]) {
    const {
      status,
      headers: answered,
      text,
    } = await server.request("GET", "/.well-known/change-password", { headers });
    assert.deepEqual([status, answered["location"], text], [303, "/account#password", ""]);
  }
  const page = await server.request("GET", "/account", { headers: { accept: "text/html" } });
  assert.equal(page.status, 200, "and it is there");
  // They ask for this one to see whether a status means anything here at all.
  const none = await server.request(
    "GET",
    "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200",
  );
  assert.equal(none.status, 404);
  const other = await server.request("POST", "/.well-known/change-password", { body: {} });
  assert.deepEqual([other.status, other.headers["allow"]], [405, "GET, HEAD"]);
});
