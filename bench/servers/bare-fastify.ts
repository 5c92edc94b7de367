/** Fastify with one route. */
import { fastify } from "fastify";

const app = fastify();
app.get("/", async () => ({ status: "ok" }));
// So that it keeps its compiled code, as any server that ends by itself: a signal alone would end it without.
process.once("SIGTERM", () => process.exit(0));
await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
