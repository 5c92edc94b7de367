import assert from "node:assert/strict";
import { test } from "node:test";
import { ownPath, signInPath } from "./return-to.ts";

test("a path of our own is where one returns to", () => {
  for (const path of [
    "/",
    "/account",
    "/console/users?q=ada&page=2",
    "/learn/05-tokens#run",
    "/lab?problem=email-taken",
  ]) {
    assert.equal(ownPath(path), path);
  }
});

// Requirement 65, V38: whatever a browser may take for another place.
const foreign = [
  "",
  "account",
  "https://evil.test",
  "https:evil.test",
  "https:/evil.test",
  "http:evil.test",
  "//evil.test",
  "///evil.test",
  "////evil.test",
  String.raw`/\evil.test`,
  String.raw`\\evil.test`,
  String.raw`\/evil.test`,
  String.raw`/\/evil.test`,
  "/\t/evil.test",
  "/\n/evil.test",
  "/\r/evil.test",
  "\t//evil.test",
  " //evil.test",
  "/ /evil.test",
  "//evil.test/..",
  "/%09//evil.test",
  "/%0a/evil.test",
  "/%2f/evil.test",
  "/%2fevil.test",
  "/%5cevil.test",
  "/%252fevil.test",
  "/..%2fevil",
  "/..%252fevil",
  "/../evil",
  "/./evil",
  "/..;/evil",
  "/.;/evil",
  "/;/evil.test",
  "/a/..//evil.test",
  "/a//evil.test",
  "/@evil.test",
  "/a@evil.test",
  "//a@evil.test",
  "//a:b@evil.test",
  "/:80",
  "//evil.test:443",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "/javascript:alert(1)",
  "data:text/html,hi",
  "vbscript:x",
  "//evil。test",
  "/。/evil",
  "/․․/evil",
  "／／evil.test",
  "/／evil.test",
  "//[::1]",
  "//0x7f000001",
  "//evil.test#/account",
  "//evil.test?/account",
  "?//evil.test",
  "#//evil.test",
  ".//evil.test",
  "..//evil.test",
  "/\u0000/evil.test",
  "/\u200b/evil.test",
  "/\ufeff//evil.test",
  "/<script>",
  `/"onload=`,
  "/a\\b",
  `/${"a".repeat(600)}`,
];

test("whatever is not plainly a path of our own is none", () => {
  assert.ok(foreign.length >= 60);
  assert.deepEqual(
    foreign.filter((text) => ownPath(text) !== undefined),
    [],
  );
  assert.equal(ownPath(null), undefined);
  assert.equal(ownPath(undefined), undefined);
});

test("signing in leads back to where one was, never to itself", () => {
  const at = (pathname: string, search = "", hash = ""): string => signInPath({ pathname, search, hash });
  assert.equal(at("/console/users", "?q=ada"), "/sign-in?returnTo=%2Fconsole%2Fusers%3Fq%3Dada");
  assert.equal(at("/sign-in"), "/sign-in");
  assert.equal(at("//evil.test"), "/sign-in");
});
