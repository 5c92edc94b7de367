import type { MailState, MailStep } from "../../platform/database/tables.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import type { MailOutcome } from "../../platform/mail/mailer.ts";
import type { Platform } from "../../platform/platform.ts";
import { openContent, type MailContent } from "./mail-content.ts";
import { claimDueMails, insertStep, isMailDue, type MailRow, markHandedOver, settleMail } from "./mail-store.ts";

const atOnce = 5;
/** Longer than a try takes with all its waits; what its process has not settled by then, it never will. */
const claimMilliseconds = 120_000;
const firstDelaySeconds = 5;
const delaySecondsMax = 3600;
/** Without an answer a relay may have it. Once more is better than never; more than that is a nuisance. */
const handedOverMax = 2;

export type MailDelivery = {
  /**
   * Begins with what is due now, up to so many at once, and waits for no answer of the relay: a mail that it is slow
   * with keeps no other waiting. Each that ends makes room for the next by itself.
   */
  readonly begin: () => Promise<void>;
  /** Sends all that is due now, to the end. */
  readonly deliver: () => Promise<void>;
  /** Lets go of what is under way, for another process or the next start. */
  readonly stop: () => Promise<void>;
};

/**
 * Empties the outbox. Any number of processes may do so: each mail is claimed by one, for a while.
 *
 * Killed at any moment, this loses no mail and doubles none more than once: that a mail is handed over is written down
 * before it happens, and a mail that was handed over twice without an answer is not sent again.
 */
export function createMailDelivery(platform: Platform): MailDelivery {
  const stopping = new AbortController();
  /** By the ids of the mails. */
  const underWay = new Map<string, Promise<void>>();
  let last = Promise.resolve();

  /** One after the other, or two would take the same room. */
  function begin(): Promise<void> {
    last = last.catch(() => undefined).then(beginDue);
    return last;
  }

  async function beginDue(): Promise<void> {
    const isRoom = (): boolean => !stopping.signal.aborted && underWay.size < atOnce;
    // A claim of ours is over when the machine was asleep, or its clock was set: we are at that mail all the same.
    const inHand = (): string[] => [...underWay.keys()];
    while (isRoom() && (await isMailDue(platform, platform.clock.now(), inHand()))) {
      const at = platform.clock.now();
      const until = at + claimMilliseconds;
      const claim = platform.secrets.randomText(16);
      const count = atOnce - underWay.size;
      const mails = await claimDueMails(platform, { at, until, claim, count, except: inHand() });
      for (const mail of mails) start(mail);
    }
  }

  function start(mail: MailRow): void {
    const work = deliver(platform, mail, stopping.signal).finally(() => underWay.delete(mail.id));
    underWay.set(mail.id, work);
    // What fails here is the database. The mail is somebody's again when its claim is over.
    work.then(begin).catch((error: unknown) => platform.log.warn({ err: error }, "the outbox was not worked on"));
  }

  return {
    begin,
    deliver: async () => {
      await begin();
      while (underWay.size > 0) {
        await Promise.race(underWay.values());
        await begin();
      }
    },
    stop: async () => {
      stopping.abort();
      await last.catch(() => undefined);
      await Promise.allSettled(underWay.values());
    },
  };
}

async function deliver(platform: Platform, mail: MailRow, stopping: AbortSignal): Promise<void> {
  const { handed_over: handedOver } = mail;
  if (platform.clock.now() >= mail.expires_at) return settle(platform, mail, { step: "expired", handedOver });
  if (handedOver >= handedOverMax) return settle(platform, mail, { step: "uncertain", handedOver });
  // For nobody too: what happens after a request must not tell whom it was for.
  if (!(await markHandedOver(platform, mail))) return undefined;
  const content = openContent(platform, mail);
  if (mail.recipient === null || content === undefined) {
    const words = content === undefined ? "it does not open under this SECRET_KEY" : "no account has the address";
    return settle(platform, mail, { step: "withheld", words, handedOver });
  }
  const outcome = await tryToSend(platform, mail, mail.recipient, content, stopping);
  await settle(platform, mail, settlementOf(handedOver, withoutSecrets(outcome, content)));
}

async function tryToSend(
  { mailer }: Platform,
  { id, created_at: writtenAt }: MailRow,
  to: string,
  { subject, text, html }: MailContent,
  stopping: AbortSignal,
): Promise<MailOutcome> {
  if (mailer === undefined) return { kind: "deferred", words: "SMTP_URL is not set" };
  return mailer.send({ messageId: id, writtenAt, to, subject, text, html }, stopping);
}

/** A relay may repeat what it does not like, and a timeline shows no token. */
function withoutSecrets({ kind, words }: MailOutcome, { secrets }: MailContent): MailOutcome {
  return { kind, words: secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), words) };
}

type Settlement = {
  readonly step: Exclude<MailStep, "queued" | "opened" | "used">;
  readonly words?: string;
  /** How often it was handed over without an answer, this time included. */
  readonly handedOver: number;
};

function settlementOf(handedOver: number, { kind, words }: MailOutcome): Settlement {
  switch (kind) {
    case "accepted":
      return { step: "delivered", words, handedOver };
    case "refused":
    case "deferred":
      return { step: kind, words, handedOver };
    case "uncertain": {
      const isLast = handedOver + 1 >= handedOverMax;
      return { step: isLast ? "uncertain" : "unanswered", words, handedOver: handedOver + 1 };
    }
  }
}

async function settle(platform: Platform, mail: MailRow, { step, words, handedOver }: Settlement): Promise<void> {
  const at = platform.clock.now();
  const isTriedAgain = step === "deferred" || step === "unanswered";
  const state: MailState = isTriedAgain ? "queued" : step;
  const dueAt = isTriedAgain ? at + delaySeconds(mail.tries) * 1000 : null;
  await inTransaction(platform, async (tx) => {
    const isOurs = await settleMail(tx, mail, { state, dueAt, handedOver });
    if (isOurs) await insertStep(tx, { mailId: mail.id, at, step, words });
  });
  platform.metrics.mails.inc({ step });
}

/** 5 s after the first try, then twice as long each time, up to an hour. */
function delaySeconds(tries: number): number {
  return Math.min(delaySecondsMax, firstDelaySeconds * 2 ** Math.min(tries - 1, 20));
}
