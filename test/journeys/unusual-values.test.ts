import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestServer } from "../support/test-server.ts";

type Schema = { readonly type?: string; readonly properties?: Readonly<Record<string, Schema>> };
type Parameter = { readonly name: string; readonly in: string };
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};

/** Values that one database keeps and another refuses, or that a column cannot hold. */
const texts = [
  "a\0b",
  "\0",
  "\ud800",
  "\u{10ffff}",
  "a'b\\c%_\"",
  "9223372036854775808",
  "1".repeat(30),
  "-1",
  "1e400",
];

function bodyOf({ properties = {} }: Schema, text: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(properties).map((name) => [name, name === "email" ? `${text}@b.example` : text]),
  );
}

test("no text and no number in a path, a query or a body is a fault of the server", async () => {
  const server = await createTestServer();
  const { email, password } = await server.administrator();
  const paths = server.app.swagger().paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  let asked = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      const names = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
      const schema = requestBody?.content["application/json"]?.schema;
      if (names.length === 0 && schema === undefined && !path.includes("{")) continue;
      const token = await server.logIn(email, password);
      for (const text of texts) {
        const encoded = encodeURIComponent(text.toWellFormed());
        const query = names.map((name) => `${name}=${encoded}`).join("&");
        const url = `${path.replaceAll(/\{[^}]+\}/g, encoded)}${query === "" ? "" : `?${query}`}`;
        const body = schema === undefined ? {} : { body: bodyOf(schema, text) };
        const answer = await server.request(method.toUpperCase(), url, { token, ...body });
        assert.ok(answer.status < 500, `${method} ${url} ${JSON.stringify(body)}: ${answer.text}`);
        asked += 1;
      }
    }
  }
  assert.ok(asked > 50, `${asked} requests`);
});
