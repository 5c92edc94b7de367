import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import selectSerializer from "@fastify/fast-json-stringify-compiler";
import { problems } from "../src/contract/problems.ts";
import { createChecker } from "../src/platform/http/validation.ts";
import { referenceFiles } from "./support/reference.ts";
import { createTestServer, type TestServer } from "./support/test-server.ts";

type Operation = {
  readonly security?: unknown;
  readonly "x-permission"?: string;
  readonly requestBody?: unknown;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: ProblemSchema }>> }>
  >;
};

type ProblemSchema = { readonly properties: { readonly code: { readonly enum: readonly string[] } } };

type Surface = { readonly method: string; readonly path: string; readonly operation: Operation };

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const;

function surfaceOf(server: TestServer): readonly Surface[] {
  const { paths } = server.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** From where a route answers at all. */
function placeFor(path: string): { address?: string } {
  return path.startsWith("/dev/") ? { address: "127.0.0.1" } : {};
}

/** An address for a path: ids that exist nowhere. */
function addressOf(path: string): string {
  const ids: Readonly<Record<string, string>> = { id: "4242", code: "email-taken", name: "login-address" };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "unknown");
}

describe("every route of the OpenAPI document", async () => {
  const server = await createTestServer();
  const surface = surfaceOf(server);
  const admin = await server.administrator();
  const user = await server.signUp("user@example.com");

  // The server compiles them when they are first needed: what cannot be compiled is to be known before.
  test("has schemas that can be compiled", () => {
    const compile = selectSerializer()();
    for (const { method, url, params, query, body, success } of server.app.routes) {
      for (const [part, schema] of Object.entries({ path: params, query, body })) {
        if (schema) createChecker(schema, part as "path" | "query" | "body")({});
      }
      if (success.schema) compile({ method, url, httpStatus: String(success.status), schema: success.schema });
    }
  });

  test("is the contract's, and nothing else is", () => {
    assert.deepEqual(surface.map(({ method, path }) => `${method} ${path}`).toSorted(), [
      "DELETE /admin/users/{id}/sessions",
      "DELETE /dev/clock",
      "DELETE /dev/inbox",
      "DELETE /users/me/sessions",
      "DELETE /users/me/sessions/{id}",
      "DELETE /users/{id}",
      "GET /",
      "GET /.well-known/change-password",
      "GET /.well-known/jwks.json",
      "GET /admin/decisions",
      "GET /admin/decisions/stream",
      "GET /admin/decisions/{request_id}",
      "GET /admin/events",
      "GET /admin/keys",
      "GET /admin/limits",
      "GET /admin/limits/{name}/keys",
      "GET /admin/limits/{name}/keys/{key}",
      "GET /admin/mail",
      "GET /admin/overview",
      "GET /admin/proxy",
      "GET /admin/settings",
      "GET /admin/users",
      "GET /admin/users/{id}",
      "GET /admin/users/{id}/sessions",
      "GET /dev/clock",
      "GET /dev/faults",
      "GET /dev/inbox",
      "GET /dev/inbox/{id}",
      "GET /dev/mail",
      "GET /dev/mail/{kind}",
      "GET /errors",
      "GET /errors.json",
      "GET /errors/{code}",
      "GET /health/live",
      "GET /health/ready",
      "GET /openapi.json",
      "GET /users/",
      "GET /users/limited",
      "GET /users/me",
      "GET /users/me/events",
      "GET /users/me/sessions",
      "GET /users/{id}",
      "PATCH /admin/users/{id}",
      "PATCH /users/me",
      "POST /admin/keys/rotate",
      "POST /auth/change-email",
      "POST /auth/forgot-password",
      "POST /auth/login",
      "POST /auth/logout",
      "POST /auth/magic",
      "POST /auth/magic/complete",
      "POST /auth/not-me",
      "POST /auth/reauthenticate",
      "POST /auth/refresh",
      "POST /auth/reset-password",
      "POST /auth/undo-email-change",
      "POST /auth/verification",
      "POST /auth/verify-email",
      "POST /dev/accounts",
      "POST /dev/clock",
      "POST /dev/faults",
      "POST /users/",
      "POST /users/me/email",
      "PUT /users/me/password",
    ]);
  });

  test("says what it answers from the catalogue, each code under its own status", () => {
    for (const { method, path, operation } of surface) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const codes = content?.["application/problem+json"]?.schema.properties.code.enum ?? [];
        assert.ok(codes.length > 0, `${method} ${path} ${status}`);
        for (const code of codes) assert.equal(String(problems[code as keyof typeof problems].status), status, code);
      }
    }
  });

  test("refuses a stranger, a wrong role and a worn token as its access says", async () => {
    // ASVS 8.2.1, 8.2.2 (requirement 80); RFC 6750 §3 (requirement 68); V12
    const disabled = await server.signUp("disabled@example.com");
    const ordinary = await server.signUp("ordinary@example.com");
    const second = await server.administrator("second@example.com");
    await server.request("PATCH", `/admin/users/${disabled.id}`, { token: admin.token, body: { disabled: true } });
    for (const { method, path, operation } of surface.filter(({ operation }) => operation.security)) {
      const name = `${method} ${path}`;
      const ask = (options: object) => server.request(method, addressOf(path), options);
      // Identity in the body or the query is no identity.
      const stranger = await ask(method === "GET" ? {} : { body: { id: 1, userId: 1, user_id: 1, sub: "1" } });
      assert.equal(stranger.status, 401, name);
      assert.equal(stranger.body["code"], "token-missing", name);
      assert.equal(stranger.headers["www-authenticate"], "Bearer", `${name}: no error code when nothing was sent`);
      const worn = await ask({ token: disabled.token });
      assert.equal(worn.body["code"], "session-ended", name);
      assert.match(worn.headers["www-authenticate"] ?? "", /error="invalid_token"/, name);
      const forged = await ask({ token: "eyJhbGciOiJub25lIn0.e30.AA" });
      assert.equal(forged.body["code"], "token-invalid", name);
      // People of their own, and a session for each request: some of the routes end sessions.
      const wrongRole = await ask({ token: await server.logIn(ordinary.email, ordinary.password) });
      if (operation["x-permission"]) {
        assert.equal(wrongRole.status, 403, name);
        assert.equal(wrongRole.body["missing_permission"], operation["x-permission"]);
      } else assert.notEqual(wrongRole.status, 403, name);
      const rightRole = await ask({ token: await server.logIn(second.email, second.password) });
      assert.notEqual(rightRole.status, 403, name);
    }
  });

  test("takes a token from the Authorization header and nowhere else, and only one", async () => {
    // RFC 6750 §2 (requirement 69)
    const me = (headers: Record<string, string | string[]>, url = "/users/me") =>
      server.request("GET", url, { headers });
    assert.equal((await me({}, `/users/me?access_token=${user.token}`)).body["code"], "token-missing");
    assert.equal((await me({ cookie: `token=${user.token}` })).body["code"], "token-missing");
    assert.equal((await me({ authorization: "Basic YWxpY2U6c2VjcmV0" })).body["code"], "token-missing");
    assert.equal((await me({ authorization: user.token })).body["code"], "token-missing");
    assert.equal((await me({ authorization: "Bearer" })).body["code"], "token-missing");
    assert.equal(
      (await me({ authorization: `bearer ${user.token}` })).status,
      200,
      "the scheme's case does not matter",
    );
    const both = await me({ authorization: `Bearer ${user.token}` }, `/users/me?access_token=${user.token}`);
    assert.equal(both.status, 400);
    assert.equal(both.body["code"], "two-credentials");
    assert.match(both.headers["www-authenticate"] ?? "", /error="invalid_request"/);
  });

  test("answers HEAD like GET without a body, other methods with 405 and Allow", async () => {
    // RFC 9110 §9.3.2, §15.5.6 (requirement 71)
    const byPath = Map.groupBy(surface, ({ path }) => path);
    for (const [path, operations] of byPath) {
      const known = new Set(operations.map(({ method }) => method));
      for (const method of methods.filter((one) => one === "HEAD" || !known.has(one))) {
        const answer = await server.request(method, addressOf(path), { token: admin.token });
        if (method === "HEAD" && known.has("GET")) {
          const get = await server.request("GET", addressOf(path), { token: admin.token });
          assert.equal(answer.status, get.status, `HEAD ${path}`);
          assert.equal(answer.text, "");
        } else {
          assert.equal(answer.status, 405, `${method} ${path}`);
          if (method !== "HEAD") assert.equal(answer.body["code"], "method-not-allowed");
          const allowed = (answer.headers["allow"] ?? "").split(", ");
          assert.deepEqual(allowed, [...known, ...(known.has("GET") ? ["HEAD"] : [])].toSorted(), path);
        }
      }
    }
  });

  test("does not mind a trailing slash", async () => {
    for (const { path } of surface.filter(({ method, path }) => method === "GET" && path !== "/")) {
      const plain = addressOf(path).replace(/\/$/, "");
      const query = path === "/users/limited" ? "?client_id=slash" : "";
      const without = await server.request("GET", plain + query, { token: admin.token });
      const slash = await server.request("GET", `${plain}/${query}`, { token: admin.token });
      assert.equal(slash.status, without.status, path);
    }
  });

  test("refuses bodies that are no JSON, of another kind, too large or not of its shape", async () => {
    // RFC 9110 §15.5.14, §15.5.16, §15.5.21 (requirement 71)
    for (const { method, path } of surface.filter(({ operation }) => operation.requestBody)) {
      const send = async (contentType: string | undefined, text: string | Buffer, headers = {}) => {
        const raw = contentType === undefined ? { text } : { contentType, text };
        const options = { token: admin.token, raw, headers, ...placeFor(path) };
        const { status, body } = await server.request(method, addressOf(path), options);
        return `${status} ${String(body["code"])}`;
      };
      const name = `${method} ${path}`;
      const json = "application/json";
      for (const broken of [
        "{",
        '{"email":',
        "{'a':1}",
        '{"a":1,}',
        "nope",
        '{"a":1}{',
        "\ufeff{",
        '{"a":/*x*/1}',
        "[1,",
        "NaN",
      ]) {
        assert.equal(await send(json, broken), "400 malformed-json", `${name} ${broken}`);
      }
      assert.equal(
        await send(json, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
        "400 malformed-json",
        `${name} no UTF-8`,
      );
      assert.equal(
        await send(json, '{"email":"a@b.example","email":"c@d.example"}'),
        "400 malformed-json",
        `${name} twice`,
      );
      assert.equal(await send(json, "[".repeat(30_000)), "400 malformed-json", `${name} deep`);
      assert.equal(
        await send(json, `{"a":${"[".repeat(33)}${"]".repeat(33)}}`),
        "400 malformed-json",
        `${name} 34 deep`,
      );
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "application/json-patch+json",
        "json",
      ]) {
        assert.equal(await send(type, '{"a":1}'), "415 unsupported-media-type", `${name} ${type}`);
      }
      assert.equal(await send(undefined, '{"a":1}'), "415 unsupported-media-type", `${name} without a type`);
      assert.equal(await send(`${json}; charset=utf-16`, '{"a":1}'), "415 unsupported-media-type", `${name} UTF-16`);
      assert.equal(
        await send(json, "{}", { "content-encoding": "gzip" }),
        "415 unsupported-media-type",
        `${name} gzip`,
      );
      assert.equal(await send(json, `{"a":"${"x".repeat(65_536)}"}`), "413 body-too-large", `${name} large`);
      for (const wrong of ["null", "[]", '"text"', "7", "true", ""]) {
        assert.equal(await send(json, wrong), "422 validation-failed", `${name} ${wrong}`);
      }
    }
  });

  test("names every unknown member, and takes none of them over", async () => {
    // ASVS 15.3.1, 15.3.3 (requirement 79), 15.3.6 (requirement 81), V12, V20
    const strange = [
      "is_admin",
      "email_verified",
      "id",
      "userId",
      "password_hash",
      "created_at",
      "constructor",
      "__proto__",
      "a/b~c",
    ];
    for (const { method, path } of surface.filter(({ operation }) => operation.requestBody)) {
      const members = strange.map((name) => `${JSON.stringify(name)}:{"admin":true}`).join(",");
      const raw = { contentType: "application/json", text: `{${members}}` };
      const options = { token: admin.token, raw, ...placeFor(path) };
      const { status, body } = await server.request(method, addressOf(path), options);
      assert.equal(status, 422, `${method} ${path}`);
      const unknown = (body["errors"] as { pointer: string; code: string }[]).filter(
        ({ code }) => code === "unknown-member",
      );
      const pointers = strange.map((name) => `#/${name.replace("~", "~0").replace("/", "~1")}`);
      assert.deepEqual(unknown.map(({ pointer }) => pointer).toSorted(), pointers.toSorted(), `${method} ${path}`);
    }
    assert.equal(({} as { admin?: unknown }).admin, undefined);
  });

  test("refuses other types where text belongs", async () => {
    // V20, ASVS 15.3.5 (requirement 81)
    const fields = {
      "POST /users/": ["email", "password"],
      "POST /auth/login": ["email", "password"],
      "POST /auth/reauthenticate": ["password"],
      "PUT /users/me/password": ["current_password", "new_password"],
    };
    for (const [name, members] of Object.entries(fields)) {
      const [method = "", url = ""] = name.split(" ");
      for (const value of [1, 1.5, true, null, ["alice@example.com", "b@example.com"], { $ne: "" }, { length: 20 }]) {
        const body = Object.fromEntries(members.map((member) => [member, value]));
        const answer = await server.request(method, url, { token: admin.token, body });
        assert.equal(answer.status, 422);
        const faults = (answer.body["errors"] as { pointer: string; code: string }[]).map(
          ({ pointer, code }) => `${pointer} ${code}`,
        );
        assert.deepEqual(
          faults.toSorted(),
          members.map((member) => `#/${member} type`).toSorted(),
          `${name} ${JSON.stringify(value)}`,
        );
      }
    }
  });
});

test("all faults are told at once, each with its pointer", async () => {
  const server = await createTestServer({
    TOLLGATE_MODE: "production",
    PUBLIC_URL: "https://auth.example.com",
    SECRET_KEY: "k".repeat(48),
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  });
  const send = async (body: unknown): Promise<string[]> => {
    const answer = await server.request("POST", "/users/", { body });
    assert.equal(answer.status, 422);
    return (answer.body["errors"] as { pointer: string; code: string }[]).map(
      ({ pointer, code }) => `${pointer} ${code}`,
    );
  };
  assert.deepEqual(await send({}), ["#/email required", "#/password required"]);
  assert.deepEqual(await send({ email: "nobody", password: "short", role: "admin" }), [
    "#/role unknown-member",
    "#/email format",
    "#/password too-short",
  ]);
  assert.deepEqual(await send({ email: "alice@example.com", password: "alice@example.com rules" }), [
    "#/password context",
  ]);
  assert.deepEqual(await send({ email: "x", password: "passwordpassword" }), ["#/email format", "#/password common"]);
});

test("the tutorial's codes in one table", async () => {
  const { text } = await createTestServer().then((server) => server.request("GET", "/errors.json"));
  const { problems: listed } = JSON.parse(text) as { problems: { code: string; status: number }[] };
  assert.deepEqual(listed.map(({ code }) => code).toSorted(), Object.keys(problems).toSorted());
  const server = await createTestServer();
  for (const { code, status } of listed) {
    const json = await server.request("GET", `/errors/${code}`);
    assert.equal(json.body["status"], status);
    const page = await server.request("GET", `/errors/${code}`, {
      headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
    });
    assert.match(page.headers["content-type"] ?? "", /^text\/html; charset=utf-8/);
    assert.match(page.text, new RegExp(String(status)));
  }
  assert.equal((await server.request("GET", "/errors/no-such-problem")).body["code"], "problem-unknown");
});

test("the reference in docs/reference is fresh", async () => {
  for (const [name, text] of Object.entries(await referenceFiles())) {
    const kept = await readFile(new URL(`../docs/reference/${name}`, import.meta.url), "utf8");
    assert.equal(kept, text, `docs/reference/${name} is old: run npm run reference`);
  }
});
