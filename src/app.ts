import { accountRoutes } from "./features/accounts/accounts-routes.ts";
import { administrationRoutes } from "./features/administration/administration-routes.ts";
import { auditRoutes } from "./features/audit/audit-routes.ts";
import { createDecisionStreams, type DecisionStreams } from "./features/decisions/decisions.ts";
import { developmentRoutes } from "./features/development/development-routes.ts";
import { purgeThrowaways } from "./features/development/development.ts";
import { decisionRoutes } from "./features/decisions/decisions-routes.ts";
import { emailFlowRoutes } from "./features/email-flows/email-flows-routes.ts";
import { guideRoutes } from "./features/guide/guide-routes.ts";
import { healthRoutes } from "./features/health/health-routes.ts";
import { purgeAnswers } from "./features/idempotency/idempotency.ts";
import { limitRoutes } from "./features/limits/limits-routes.ts";
import { createMetricsReader } from "./features/metrics/metrics.ts";
import { metricsRoutes } from "./features/metrics/metrics-routes.ts";
import { openOverview, type OverviewReader } from "./features/overview/overview.ts";
import { overviewRoutes } from "./features/overview/overview-routes.ts";
import { developmentMailRoutes } from "./features/mail/development-mail-routes.ts";
import { mailRoutes, watchMailPages } from "./features/mail/mail-routes.ts";
import { openMail, purgeMails } from "./features/mail/mail.ts";
import { pageRoutes } from "./features/pages/pages-routes.ts";
import { proxyRoutes } from "./features/proxy/proxy-routes.ts";
import { preparePasswordChecks } from "./features/passwords/passwords.ts";
import { passwordRoutes } from "./features/passwords/passwords-routes.ts";
import { accountSessionRoutes } from "./features/sessions/account-sessions-routes.ts";
import { openSessions, purgeSessions, type Sessions } from "./features/sessions/sessions.ts";
import { sessionRoutes } from "./features/sessions/sessions-routes.ts";
import { signingKeyRoutes } from "./features/sessions/signing-keys-routes.ts";
import { mailSignInRoutes } from "./features/sign-in/mail-sign-in-routes.ts";
import { signInRoutes } from "./features/sign-in/sign-in-routes.ts";
import { signUpRoutes } from "./features/sign-in/sign-up-routes.ts";
import type { AnyRoute } from "./platform/http/route.ts";
import { createServer } from "./platform/http/server.ts";
import { openTlsFiles, type TlsFiles } from "./platform/http/tls-files.ts";
import { readWebBuild } from "./platform/http/web-build.ts";
import type { Platform } from "./platform/platform.ts";
import { repeat, type Stop } from "./platform/repeat.ts";

export type App = Awaited<ReturnType<typeof createServer>> & {
  /** From now on /health/ready answers 503, so that nobody sends new requests. */
  readonly beginShutdown: () => void;
  readonly isStopping: () => boolean;
  /** All figures of this process, as Prometheus reads them. */
  readonly readMetrics: () => Promise<string>;
  /** What is done in the background now and then, by hand: for tests that turn the clock. */
  readonly reloadKeys: () => Promise<void>;
  readonly flushKeyUsage: () => Promise<void>;
  readonly flushOverview: () => Promise<void>;
  readonly tickStreams: () => Promise<void>;
  readonly deliverMail: () => Promise<void>;
  /** What is served, for the reference and its tests. */
  readonly routes: readonly AnyRoute[];
};

/** The server with all its features: the only file that knows them all. Not listening yet. */
export async function buildApp(platform: Platform): Promise<App> {
  let isStopping = false;
  await platform.redis?.open();
  preparePasswordChecks(platform);
  const sessions = await openSessions(platform);
  await purgeThrowaways(platform);
  const mail = openMail(platform);
  const tls = openTlsFiles(platform);
  const overview = openOverview(platform);
  const readMetrics = createMetricsReader(platform, overview.eventLoopDelay);
  const streams = createDecisionStreams(platform);
  const routes = routesOf(platform, { sessions, overview, streams, tls, readMetrics, isStopping: () => isStopping });
  const server = await createServer(platform, {
    authenticate: sessions.authenticate,
    isStopping: () => isStopping,
    tls: tls?.options(),
    routes,
    onAnswered: (request, status) => watchMailPages(platform, request, status),
  });
  const stopBackground = workInBackground(platform, { sessions, overview, streams, mail });
  const stopRenewing = renewing(platform, server, tls);
  // Before the server waits for what is under way: a stream would be under way for ever.
  server.addHook("preClose", async () => streams.close());
  server.addHook("onClose", async () => {
    await Promise.all(stopRenewing.map((stop) => stop()));
    await stopBackground();
  });
  return Object.assign(server, {
    routes,
    readMetrics,
    reloadKeys: sessions.reloadKeys,
    flushKeyUsage: sessions.flushKeyUsage,
    flushOverview: overview.flush,
    tickStreams: streams.tick,
    deliverMail: mail.deliver,
    isStopping: () => isStopping,
    beginShutdown: () => void (isStopping = true),
  });
}

type RouteParts = {
  readonly sessions: Sessions;
  readonly overview: OverviewReader;
  readonly streams: DecisionStreams;
  readonly tls: TlsFiles | undefined;
  readonly readMetrics: () => Promise<string>;
  readonly isStopping: () => boolean;
};

function routesOf(platform: Platform, parts: RouteParts): readonly AnyRoute[] {
  const { sessions, overview, streams, tls, readMetrics, isStopping } = parts;
  const build = readWebBuild();
  return [
    ...guideRoutes(platform, build),
    ...signInRoutes(platform, sessions),
    ...accountRoutes(platform),
    ...passwordRoutes(platform),
    ...signUpRoutes(platform, sessions),
    ...mailSignInRoutes(platform, sessions),
    ...emailFlowRoutes(platform),
    ...mailRoutes(platform),
    ...administrationRoutes(platform),
    ...overviewRoutes(platform, overview),
    ...auditRoutes(platform),
    ...decisionRoutes(platform, streams),
    ...limitRoutes(platform),
    ...sessionRoutes(platform, sessions),
    ...developmentRoutes(platform, sessions),
    ...developmentMailRoutes(platform),
    ...accountSessionRoutes(platform),
    ...signingKeyRoutes(platform, sessions),
    ...healthRoutes(platform, { isStopping }, tls),
    ...proxyRoutes(platform),
    ...metricsRoutes(platform, readMetrics),
    ...pageRoutes(platform, build),
  ];
}

type BackgroundParts = {
  readonly sessions: Awaited<ReturnType<typeof openSessions>>;
  readonly overview: ReturnType<typeof openOverview>;
  readonly streams: ReturnType<typeof createDecisionStreams>;
  readonly mail: ReturnType<typeof openMail>;
};

/** What is done now and then while the server runs. Gives back how to end it, in order. */
function workInBackground(
  platform: Platform,
  { sessions, overview, streams, mail }: BackgroundParts,
): () => Promise<void> {
  const stops = [
    ...purging(platform),
    // Twice as often as promised, so that no request has to do it when one turn fails.
    repeat(sessions.keyReloadSeconds / 2, sessions.reloadKeys, platform.log),
    repeat(keyUsageEverySeconds, sessions.flushKeyUsage, platform.log),
    repeat(overviewEverySeconds, overview.flush, platform.log),
    repeat(streamsEverySeconds, streams.tick, platform.log),
    repeat(mailEverySeconds, mail.begin, platform.log),
  ];
  return async () => {
    await mail.stop();
    await Promise.all(stops.map((stop) => stop()));
    await sessions
      .flushKeyUsage()
      .catch((error: unknown) => platform.log.warn({ err: error }, "key usage was not written"));
    await overview
      .close()
      .catch((error: unknown) => platform.log.warn({ err: error }, "the last counters were not written"));
  };
}

const keyUsageEverySeconds = 60;
const overviewEverySeconds = 5;
const streamsEverySeconds = 2;
const mailEverySeconds = 1;
const tlsLookEverySeconds = 1;
const purgeEverySeconds = 60;
/** Short writes, so that nobody waits for them; what is left goes the next time. */
const purgeStepsMax = 20;

function renewing({ log }: Platform, { server }: Pick<App, "server">, tls: TlsFiles | undefined): Stop[] {
  return tls === undefined ? [] : [repeat(tlsLookEverySeconds, () => tls.look(server), log)];
}

/** Of the workers of one machine one does it, which is enough; on other machines another may, at the same time. */
function purging(platform: Platform): Stop[] {
  if (platform.worker !== undefined && platform.worker.number !== 1) return [];
  return [repeat(purgeEverySeconds, () => purge(platform), platform.log)];
}

async function purge(platform: Platform): Promise<void> {
  for (const purgeSome of [purgeSessions, purgeAnswers, purgeThrowaways, purgeMails]) {
    for (let step = 0; step < purgeStepsMax && (await purgeSome(platform)); step += 1);
  }
}
