import { Type, type Static, type TInteger, type TObject } from "typebox";
import { gates } from "../../contract/gates.ts";
import { timestamp } from "../../platform/clock.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { refreshOutcomes } from "../../platform/telemetry/metrics.ts";
import { tollgateVersion } from "../../platform/version.ts";
import { periods, type Figures, type OverviewReader, type Period } from "./overview.ts";

const tag = "Administration";

const countsOf = (names: readonly string[]): TObject<Record<string, TInteger>> =>
  Type.Object(Object.fromEntries(names.map((name) => [name, Type.Integer()])));

const milliseconds = Type.Union([Type.Number(), Type.Null()]);

const figureMembers = {
  sign_ups: Type.Integer(),
  sign_ins: Type.Integer(),
  wrong_passwords: Type.Integer({ description: "For accounts that there are and that there are not." }),
  requests: Type.Integer({ description: "All that were answered, refused ones included." }),
  refusals: countsOf(gates),
  refreshes: countsOf(refreshOutcomes),
  latency_p50_ms: milliseconds,
  latency_p99_ms: milliseconds,
};

const FiguresBody = Type.Object(figureMembers, { title: "Figures" });
type FiguresBody = Static<typeof FiguresBody>;

const OverviewBody = Type.Object(
  {
    totals: Type.Object({
      users: Type.Integer(),
      disabled: Type.Integer(),
      administrators: Type.Integer({ description: "Those who are not disabled." }),
      living_sessions: Type.Integer(),
    }),
    now: Type.Object(
      {
        hash_threads_busy: Type.Integer(),
        hash_threads: Type.Integer(),
        hash_queue_length: Type.Integer(),
        hash_queue_max: Type.Integer(),
        event_loop_delay_p50_ms: Type.Number(),
        event_loop_delay_p99_ms: Type.Number(),
        limiter_keys_held: Type.Integer(),
        uptime_seconds: Type.Integer(),
        version: Type.String(),
        mode: Type.Enum(["development", "production"]),
      },
      { description: "Of the process that answers." },
    ),
    period: Type.Enum(Object.keys(periods) as Period[]),
    step_seconds: Type.Integer(),
    points: Type.Array(
      Type.Object({ starts_at: Type.String({ format: "date-time" }), ...figureMembers }, { title: "FiguresPoint" }),
      { description: "Oldest first, without gaps. The last one is not over yet." },
    ),
    sums: FiguresBody,
  },
  { title: "Overview" },
);

export function overviewRoutes(platform: Platform, overview: OverviewReader): readonly AnyRoute[] {
  return [
    route({
      method: "GET",
      url: "/admin/overview",
      tag,
      summary: "How does the server fare?",
      description:
        "Totals, how this process stands now, and what happened in the last hour (by the minute) or day (by the quarter of an hour), over all processes.",
      access: "system:read",
      limit: "api",
      query: Type.Object({
        period: Type.Optional(Type.Enum(Object.keys(periods) as Period[], { default: "hour" })),
      }),
      success: { status: 200, description: "The figures.", schema: OverviewBody },
      problems: [],
      handle: async ({ query: { period = "hour" } }) => {
        const { totals, points, sums, ...figures } = await overview.read(period);
        return {
          totals: {
            users: totals.users,
            disabled: totals.disabled,
            administrators: totals.administrators,
            living_sessions: totals.livingSessions,
          },
          now: {
            ...hasherNow(platform),
            event_loop_delay_p50_ms: figures.eventLoopDelay.p50Milliseconds,
            event_loop_delay_p99_ms: figures.eventLoopDelay.p99Milliseconds,
            limiter_keys_held: platform.rateLimiter.keysHeld(),
            uptime_seconds: figures.uptimeSeconds,
            version: tollgateVersion,
            mode: platform.config.mode,
          },
          period,
          step_seconds: figures.stepSeconds,
          points: points.map((point) => ({ starts_at: timestamp(point.startsAt), ...figuresBody(point) })),
          sums: figuresBody(sums),
        };
      },
    }),
    settingsRoute(platform),
  ];
}

function hasherNow({ passwordHasher, config }: Pick<Platform, "passwordHasher" | "config">): {
  hash_threads_busy: number;
  hash_threads: number;
  hash_queue_length: number;
  hash_queue_max: number;
} {
  const { running, queued } = passwordHasher.stats();
  const { threads, queueMax } = config.hashing;
  return {
    hash_threads_busy: running,
    hash_threads: threads,
    hash_queue_length: queued,
    hash_queue_max: queueMax,
  };
}

function figuresBody(figures: Figures): FiguresBody {
  return {
    sign_ups: figures.signUps,
    sign_ins: figures.signIns,
    wrong_passwords: figures.wrongPasswords,
    requests: figures.requests,
    refusals: figures.refusals,
    refreshes: figures.refreshes,
    latency_p50_ms: figures.latencyP50Milliseconds,
    latency_p99_ms: figures.latencyP99Milliseconds,
  };
}

const SettingBody = Type.Object(
  {
    name: Type.String(),
    value: Type.String({ description: "Secrets are masked." }),
    origin: Type.Enum(["default", "environment"]),
    default: Type.String(),
    bounds: Type.String(),
    meaning: Type.String(),
  },
  { title: "Setting" },
);

function settingsRoute({ config }: Pick<Platform, "config">): AnyRoute {
  return route({
    method: "GET",
    url: "/admin/settings",
    tag,
    summary: "Every setting, as it is in force",
    description: "As `tollgate config` shows them, for the process that answers.",
    access: "system:read",
    limit: "api",
    success: {
      status: 200,
      description: "The settings, in the order of the reference.",
      schema: Type.Object({ items: Type.Array(SettingBody) }, { title: "SettingList" }),
    },
    problems: [],
    handle: async () => ({
      items: config.settings.map(({ name, value, origin, default: otherwise, bounds, meaning }) => ({
        name,
        value,
        origin,
        default: otherwise,
        bounds,
        meaning,
      })),
    }),
  });
}
