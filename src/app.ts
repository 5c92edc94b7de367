import { accountRoutes } from "./features/accounts/accounts-routes.ts";
import { administrationRoutes } from "./features/administration/administration-routes.ts";
import { decisionRoutes } from "./features/decisions/decisions-routes.ts";
import { guideRoutes } from "./features/guide/guide-routes.ts";
import { healthRoutes } from "./features/health/health-routes.ts";
import { openSessions } from "./features/sessions/sessions.ts";
import { sessionRoutes } from "./features/sessions/sessions-routes.ts";
import { signInRoutes } from "./features/sign-in/sign-in-routes.ts";
import { createServer } from "./platform/http/server.ts";
import type { Platform } from "./platform/platform.ts";

export type App = Awaited<ReturnType<typeof createServer>> & {
  /** From now on /health/ready answers 503, so that nobody sends new requests. */
  readonly beginShutdown: () => void;
};

/** The server with all its features: the only file that knows them all. Not listening yet. */
export async function buildApp(platform: Platform): Promise<App> {
  let isStopping = false;
  const sessions = await openSessions(platform);
  const server = await createServer(platform, {
    authenticate: sessions.authenticate,
    routes: [
      ...guideRoutes(platform),
      ...signInRoutes(platform, sessions),
      ...accountRoutes(platform),
      ...administrationRoutes(platform),
      ...decisionRoutes(platform),
      ...sessionRoutes(sessions),
      ...healthRoutes(platform, { isStopping: () => isStopping }),
    ],
  });
  return Object.assign(server, {
    beginShutdown: () => {
      isStopping = true;
    },
  });
}
