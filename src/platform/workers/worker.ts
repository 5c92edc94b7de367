import cluster from "node:cluster";
import type { Clock } from "../clock.ts";
import { createSwitches, type DevelopmentSwitches, takeOverSwitches } from "../development-switches.ts";
import { createInboxMailer } from "../mail/inbox-mailer.ts";
import type { Mailer } from "../mail/mailer.ts";
import { createPrimaryInbox } from "./primary-inbox.ts";
import { createPrimaryLink, type PrimaryLink } from "./primary-link.ts";
import type { FromPrimary, FromWorker } from "./worker-messages.ts";

/** One of several processes that serve on one machine, all on one port. */
export type Worker = {
  /** From 1. The one that comes after it when it dies has the same. */
  readonly number: number;
  readonly primary: PrimaryLink;
};

/** How the primary process tells a worker its number. */
export const workerNumberVariable = "TOLLGATE_WORKER";

export const inboxMailsMax = 200;

/** This process as a worker; undefined when it is none. */
export function ownWorker(): Worker | undefined {
  const number = Number(process.env[workerNumberVariable]);
  if (!cluster.isWorker || !Number.isSafeInteger(number)) return undefined;
  return {
    number,
    primary: createPrimaryLink({
      // The primary process that has gone takes its workers with it: what is not sent then is missed by nobody.
      send: (message: FromWorker) => void process.send?.(message, undefined, undefined, () => undefined),
      onMessage: (listener) => void process.on("message", (message) => listener(message as FromPrimary)),
    }),
  };
}

/** What a development server has besides: switches, and an inbox instead of a relay. All workers have one of each. */
export async function createDevelopmentParts(
  realClock: Clock,
  worker: Worker | undefined,
): Promise<{ readonly switches: DevelopmentSwitches; readonly inbox: Mailer }> {
  const switches = createSwitches(realClock);
  if (worker === undefined) return { switches, inbox: createInboxMailer({ mailsMax: inboxMailsMax }) };
  const { primary } = worker;
  primary.hear((tidings) => {
    if (tidings.about === "switches") takeOverSwitches(switches, tidings.switches);
  });
  const state = await primary.ask("development-state", null);
  takeOverSwitches(switches, state.switches);
  return {
    switches: { ...switches, turn: async (turn) => void (await primary.ask("turn", turn)) },
    inbox: createPrimaryInbox(primary, { mailsMax: inboxMailsMax, before: state.mails }),
  };
}
