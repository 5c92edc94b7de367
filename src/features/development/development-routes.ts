import { Type, type Static } from "typebox";
import { roles } from "../../contract/permissions.ts";
import { Problem } from "../../contract/problems.ts";
import { timestamp } from "../../platform/clock.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { DevelopmentSwitches } from "../../platform/development-switches.ts";
import type { Platform } from "../../platform/platform.ts";
import { UserBody, userBody } from "../accounts/accounts.ts";
import { type Sessions, TokensBody } from "../sessions/sessions.ts";
import { makeThrowaway, throwawaysMax } from "./development.ts";

const outageSeconds = { otherwise: 10, max: 60 };
/** The longest a session can live: whatever expires can be seen to. */
const aheadSecondsMax = 365 * 86_400;

const Faults = Type.Object(
  {
    database: Type.Enum(["there", "away"]),
    seconds_left: Type.Integer({ description: "Until it is there again by itself; 0 when it is." }),
  },
  { title: "Faults" },
);

const ClockBody = Type.Object(
  {
    now: Type.String({ format: "date-time" }),
    offset_seconds: Type.Integer({ description: "How far it is ahead of real time." }),
  },
  { title: "Clock" },
);

const ThrowawayBody = Type.Object(
  {
    ...TokensBody.properties,
    user: UserBody,
    password: Type.String({ description: "Told once." }),
  },
  { title: "ThrowawayAccount" },
);

/** What every one of them has in common: see this-machine.ts. */
const forThisMachine = { tag: "Development", access: "this-machine", limit: "api" } as const;

/** Switches that break things on purpose, for the Lab. In production there are none: not hidden, not registered. */
export function developmentRoutes(platform: Platform, sessions: Sessions): readonly AnyRoute[] {
  const { switches } = platform;
  if (switches === undefined) return [];
  return [...faultRoutes(switches), ...clockRoutes(switches), accountRoute(platform, sessions)];
}

function faultRoutes({ outage, turn }: DevelopmentSwitches): readonly AnyRoute[] {
  const faults = (): Static<typeof Faults> => {
    const secondsLeft = Math.ceil(outage.remainingMilliseconds() / 1000);
    return { database: secondsLeft > 0 ? "away" : "there", seconds_left: secondsLeft };
  };
  return [
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/faults",
      summary: "What is broken on purpose now",
      success: { status: 200, description: "The switches.", schema: Faults },
      problems: [],
      handle: async () => faults(),
    }),
    route({
      ...forThisMachine,
      method: "POST",
      url: "/dev/faults",
      summary: "Have the database away for a while",
      description: "It comes back by itself. What is under way is finished first.",
      body: Type.Object(
        {
          database: Type.Enum(["there", "away"]),
          seconds: Type.Optional(
            Type.Integer({ minimum: 1, maximum: outageSeconds.max, default: outageSeconds.otherwise }),
          ),
        },
        { additionalProperties: false, title: "FaultChange" },
      ),
      success: { status: 200, description: "Done.", schema: Faults },
      problems: [],
      handle: async ({ body: { database, seconds = outageSeconds.otherwise } }) => {
        if (database === "away") await turn({ turn: "database-away", milliseconds: seconds * 1000 });
        else await turn({ turn: "database-there" });
        return faults();
      },
    }),
  ];
}

function clockRoutes({ clock, turn }: DevelopmentSwitches): readonly AnyRoute[] {
  const reading = (): Static<typeof ClockBody> => ({
    now: timestamp(clock.now()),
    offset_seconds: clock.offsetMilliseconds() / 1000,
  });
  return [
    route({
      ...forThisMachine,
      method: "GET",
      url: "/dev/clock",
      summary: "What time the server thinks it is",
      success: { status: 200, description: "The clock.", schema: ClockBody },
      problems: [],
      handle: async () => reading(),
    }),
    route({
      ...forThisMachine,
      method: "POST",
      url: "/dev/clock",
      summary: "Set the clock ahead",
      description: "Tokens expire and limits age as if so much time had passed.",
      body: Type.Object(
        { advance_seconds: Type.Integer({ minimum: 1, maximum: aheadSecondsMax }) },
        { additionalProperties: false, title: "ClockChange" },
      ),
      success: { status: 200, description: "The clock as it is now.", schema: ClockBody },
      problems: [],
      handle: async ({ body }) => {
        const milliseconds = body.advance_seconds * 1000;
        if (clock.offsetMilliseconds() + milliseconds > aheadSecondsMax * 1000) throw tooFarAhead();
        await turn({ turn: "clock-ahead", milliseconds });
        return reading();
      },
    }),
    route({
      ...forThisMachine,
      method: "DELETE",
      url: "/dev/clock",
      summary: "Back to real time",
      description: "Limits stay as old as they are. What was made meanwhile is from the future, tokens above all.",
      success: { status: 200, description: "The clock as it is now.", schema: ClockBody },
      problems: [],
      handle: async () => {
        await turn({ turn: "clock-back" });
        return reading();
      },
    }),
  ];
}

function tooFarAhead(): Problem {
  const detail = `would set the clock more than ${aheadSecondsMax} seconds ahead; DELETE /dev/clock first`;
  return new Problem("validation-failed", {
    members: { errors: [{ pointer: "#/advance_seconds", detail, code: "too-large" }] },
  });
}

function accountRoute(platform: Platform, sessions: Sessions): AnyRoute {
  return route({
    ...forThisMachine,
    method: "POST",
    url: "/dev/accounts",
    summary: "A throw-away account, signed in",
    description: `It is deleted after an hour, or when there are more than ${throwawaysMax}. It never counts as the last administrator.`,
    body: Type.Object({ role: Type.Enum([...roles]) }, { additionalProperties: false, title: "ThrowawayAccountWish" }),
    success: { status: 201, description: "`Location` is its address.", schema: ThrowawayBody },
    problems: ["busy"],
    handle: async ({ body, origin }, reply) => {
      const { account, password, tokens } = await makeThrowaway(platform, sessions, body.role, origin);
      reply.header("location", `/users/${account.id}`);
      return { ...tokens, user: userBody(account), password };
    },
  });
}
