import assert from "node:assert/strict";
import { test } from "node:test";
import { fastify } from "fastify";
import { Type } from "typebox";
import { lazySerializers } from "./lazy-serializers.ts";

test("each route's answer has what its schema lists for this status, at its first answer and later", async () => {
  const app = fastify({ schemaController: lazySerializers });
  const everything = { id: 7, name: "Ada", secret: "s", parts: [{ at: "now", secret: "s" }] };
  const schemas = {
    "/id": { 200: Type.Object({ id: Type.Integer() }) },
    "/name": { 200: Type.Object({ name: Type.String(), id: Type.Optional(Type.Null()) }) },
    "/parts": { 201: Type.Object({ parts: Type.Array(Type.Object({ at: Type.String() })) }) },
  };
  for (const [url, response] of Object.entries(schemas)) {
    app.get(url, { schema: { response } }, async (_request, reply) => {
      reply.code(url === "/parts" ? 201 : 200);
      return url === "/name" ? { ...everything, id: null } : everything;
    });
  }
  for (let time = 0; time < 2; time += 1) {
    for (const [url, answer] of [
      ["/id", { id: 7 }],
      ["/name", { name: "Ada", id: null }],
      ["/parts", { parts: [{ at: "now" }] }],
    ] as const) {
      assert.deepEqual((await app.inject(url)).json(), answer, url);
    }
  }
  await app.close();
});
