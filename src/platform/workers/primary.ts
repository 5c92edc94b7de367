import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import { createMemoryLimits } from "../counting.ts";
import { createSwitches } from "../development-switches.ts";
import type { DecisionLog } from "../http/decisions.ts";
import { createInboxMailer } from "../mail/inbox-mailer.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createPrimaryDesk } from "./primary-desk.ts";
import { inboxMailsMax } from "./worker.ts";

/**
 * The primary process of several workers. It opens no database and takes no request: what it does must never make a
 * worker wait.
 */
export function createPrimary(
  count: number,
  { log, decisions }: { readonly log: Logger; readonly decisions: DecisionLog },
): Fleet {
  const switches = createSwitches(systemClock);
  const rateLimiter = createMemoryLimits(switches.clock);
  const inbox = createInboxMailer({ mailsMax: inboxMailsMax });
  const desk = createPrimaryDesk({ rateLimiter, decisions, switches, inbox, log });
  return createFleet({ count, desk, clock: systemClock, log });
}
