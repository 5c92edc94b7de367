import { createRequire } from "node:module";
import type { SerializerFactory } from "@fastify/fast-json-stringify-compiler";
import type { FastifyServerOptions } from "fastify";

type SchemaController = NonNullable<FastifyServerOptions["schemaController"]>;

const require = createRequire(import.meta.url);

/**
 * Fastify's own serializers, each compiled when its route first answers, and not at the start: together they take some
 * 130 ms. No schema is given to Fastify to check a request by (see validation.ts), so its validator is not even loaded.
 */
export const lazySerializers: SchemaController = {
  compilersFactory: {
    buildSerializer: (schemas, options) => (route) => {
      let serialize: ((answer: unknown) => string) | undefined;
      return (answer: unknown) => (serialize ??= compilerOf()(schemas, options)(route))(answer);
    },
    buildValidator: () => () => {
      throw new Error("A request is checked in validation.ts, not by Fastify.");
    },
  },
};

let compiler: SerializerFactory | undefined;

function compilerOf(): SerializerFactory {
  if (compiler !== undefined) return compiler;
  const select = require("@fastify/fast-json-stringify-compiler") as () => SerializerFactory;
  return (compiler = select());
}
