import assert from "node:assert/strict";
import { test } from "node:test";
import { codeRequest, readHeaders } from "./live-request.ts";

test("headers are read a line each, and the first line that is none is named", () => {
  assert.deepEqual(readHeaders("content-type: application/json\n\n X : no\n"), { wrongLine: " X : no" });
  assert.deepEqual(readHeaders("content-type:application/json\nx-a: b: c \n"), {
    headers: [
      ["content-type", "application/json"],
      ["x-a", "b: c"],
    ],
  });
  assert.deepEqual(readHeaders("no header"), { wrongLine: "no header" });
});

test("a request as other programs send it has its token, and a body only where there may be one", () => {
  const request = { method: "GET", path: "/users/me?x=1", headers: "accept: */*", body: "{}" };
  assert.deepEqual(codeRequest(request, "abc", "http://localhost:8000"), {
    method: "GET",
    url: "http://localhost:8000/users/me?x=1",
    headers: [
      ["authorization", "Bearer abc"],
      ["accept", "*/*"],
    ],
    body: undefined,
  });
  assert.deepEqual(codeRequest({ ...request, method: "POST" }, undefined, "http://a"), {
    method: "POST",
    url: "http://a/users/me?x=1",
    headers: [["accept", "*/*"]],
    body: "{}",
  });
});
