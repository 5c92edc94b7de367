import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { flows } from "../../proof/enumeration-flows.ts";
import { proveNoEnumeration } from "../../proof/enumeration-run.ts";
import { startOwnServer } from "../../proof/own-server.ts";
import { compare } from "../../proof/statistics.ts";
import { startRelay } from "../support/smtp-relay.ts";

test("nothing a stranger sees tells whether an account exists", async (t) => {
  // ASVS 6.3.8 (requirement 12), V7; `npm run proof:enumeration` takes 2,000 samples and one millisecond.
  const server = await startOwnServer({});
  t.after(() => server.stop());
  const options = { url: server.url, samples: 120, meanDifferenceMilliseconds: 3, only: ["login"] };
  const [login] = await proveNoEnumeration(options);
  assert.deepEqual(login?.tellsApart, []);
  assert.equal(login?.isTimeTelling, false, JSON.stringify(login?.time));
});

test("no mail flow tells it either, with the relay well, away or hanging", async (t) => {
  // Requirement 12, V50 (Django GHSA-rrqc-c2jx-6jgv), X12
  const relay = await startRelay();
  const server = await startOwnServer({
    EMAIL_VERIFICATION: "required",
    SIGN_IN_BY_MAIL: "on",
    SMTP_URL: `smtp://127.0.0.1:${relay.port}`,
    MAIL_FROM: "accounts@example.com",
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
  });
  t.after(async () => {
    await server.stop();
    await relay.close();
  });
  const only = flows.map(({ name }) => name).filter((name) => name !== "login");
  for (const mode of ["good", "close", "hang"] as const) {
    relay.behave(mode);
    const options = { url: server.url, samples: 20, meanDifferenceMilliseconds: 10, only };
    const results = await proveNoEnumeration(options);
    assert.deepEqual(
      results.map(({ flow }) => flow),
      only,
    );
    for (const { flow, tellsApart, isTimeTelling, time } of results) {
      assert.deepEqual(tellsApart, [], `${flow}, ${mode}`);
      assert.equal(isTimeTelling, false, `${flow}, ${mode}: ${JSON.stringify(time)}`);
    }
  }
  assert.ok(relay.taken.length > 0, "mail was sent meanwhile");
});

test("a header more and three milliseconds are found", async (t) => {
  const leaky = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const isKnown = text.includes("known-");
      const isSignUp = request.url === "/users/";
      setTimeout(
        () => {
          response.writeHead(isSignUp ? 201 : 401, {
            "content-type": "application/json",
            ...(isKnown ? { "x-known": "1" } : {}),
          });
          response.end(JSON.stringify({ request_id: Math.random() }).padEnd(60));
        },
        isKnown ? 8 : 5,
      );
    });
  }).listen(0, "127.0.0.1");
  await once(leaky, "listening");
  t.after(() => leaky.close());
  const { port } = leaky.address() as { port: number };
  const [login] = await proveNoEnumeration({
    url: `http://127.0.0.1:${port}`,
    samples: 200,
    meanDifferenceMilliseconds: 1,
    only: ["login"],
  });
  assert.equal(login?.isTimeTelling, true);
  assert.equal(login?.tellsApart.length, 2, "a header more is seen");
});

test("the statistics agree with known values", () => {
  // Worked out independently from the definitions (Python's statistics module).
  const a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
  const b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 25.2];
  const { t, degreesOfFreedom, distance } = compare(a, b);
  assert.equal(t.toFixed(6), "-2.894164");
  assert.equal(degreesOfFreedom.toFixed(4), "27.9172");
  assert.equal(distance.toFixed(6), "0.533333");
  // Of the tables: Student's t with many degrees of freedom, and Kolmogorov's Q(1.3491).
  const row = Array.from({ length: 1000 }, (_, index) => index);
  const shifted = (by: number) => row.map((value) => value + by);
  assert.equal(compare(row, shifted(25)).tProbability.toFixed(4), "0.0529");
  assert.equal(compare(row, shifted(60)).distanceProbability.toFixed(4), "0.0525");
  const same = compare(a, a);
  assert.equal(same.t, 0);
  assert.equal(same.distance, 0);
  assert.ok(same.tProbability > 0.99 && same.distanceProbability > 0.99);
});

test("a server with its limits on cannot be proved, and is told so", async (t) => {
  const limited = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(request.url === "/users/" ? 201 : 429).end("{}"));
  }).listen(0, "127.0.0.1");
  await once(limited, "listening");
  t.after(() => limited.close());
  const { port } = limited.address() as { port: number };
  const proof = proveNoEnumeration({
    url: `http://127.0.0.1:${port}`,
    samples: 5,
    meanDifferenceMilliseconds: 1,
    only: ["login"],
  });
  await assert.rejects(proof, /login was answered 429: set LIMIT_LOGIN_ADDRESS and LIMIT_LOGIN_ACCOUNT to off/);
});
