// Better Auth on Node's own HTTP server: `better-auth.js FILE`, with COOKIE_CACHE=on or UPDATE_AGE=0 in the environment.
import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { openBetterAuth } from "../lib/better-auth.js";

const { PORT, COOKIE_CACHE, UPDATE_AGE } = process.env;
const { auth } = openBetterAuth(process.argv[2], {
  baseURL: `http://127.0.0.1:${PORT}`,
  cookieCache: COOKIE_CACHE === "on",
  ...(UPDATE_AGE === undefined ? {} : { updateAge: Number(UPDATE_AGE) }),
});
await auth.$context;
const handle = toNodeHandler(auth);
createServer((request, response) => {
  // Whether it is there is asked of nothing but the server itself, as of Tollgate.
  if (request.url === "/") response.end("ok");
  else void handle(request, response);
}).listen(Number(PORT), "127.0.0.1");
