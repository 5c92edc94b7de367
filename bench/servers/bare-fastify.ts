/** Fastify with one route. */
import { fastify } from "fastify";

const app = fastify();
app.get("/", async () => ({ status: "ok" }));
await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
