import type { Selectable } from "kysely";
import { type Static, Type } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import type { MailState, MailStep, Tables } from "../../platform/database/tables.ts";
import { readCursor, writeCursor } from "../../platform/http/cursors.ts";
import type { Platform } from "../../platform/platform.ts";
import { listMailsBefore, listSteps, listTokens, type MailRow, type MailStepRow } from "./mail-store.ts";
import { type MailKind, mailKinds } from "./mail-texts.ts";

const states = [
  "queued",
  "sending",
  "delivered",
  "refused",
  "expired",
  "uncertain",
  "withheld",
] as const satisfies readonly MailState[];
const steps = [
  ...states.filter((state) => state !== "sending"),
  "deferred",
  "unanswered",
  "opened",
  "used",
] as const satisfies readonly MailStep[];
const orNull = { text: Type.Union([Type.String(), Type.Null()]), integer: Type.Union([Type.Integer(), Type.Null()]) };
const time = Type.String({ format: "date-time" });

/** A mail as an administrator sees it: its life, and nothing that is in it. */
export const MailBody = Type.Object(
  {
    id: Type.String(),
    kind: Type.Enum([...mailKinds]),
    account_id: Type.Union([Type.Integer(), Type.Null()], {
      description: "null: asked for with an address that no account has, and sent to nobody.",
    }),
    recipient: orNull.text,
    state: Type.Enum([...states], {
      description:
        "uncertain: handed over twice without an answer, so it is not sent again. withheld: not sent on purpose.",
    }),
    created_at: time,
    expires_at: Type.String({ format: "date-time", description: "From then on it is not sent any more." }),
    tries: Type.Integer(),
    next_try_at: Type.Union([time, Type.Null()]),
    link: Type.Union([
      Type.Object({
        state: Type.Enum(["live", "used", "expired", "void"]),
        expires_at: time,
      }),
      Type.Null(),
    ]),
    steps: Type.Array(
      Type.Object({
        at: time,
        step: Type.Enum([...steps]),
        words: Type.Union([Type.String(), Type.Null()], { description: "What the relay said, or what was seen." }),
      }),
    ),
  },
  { title: "Mail" },
);
export type MailBody = Static<typeof MailBody>;

export type TimelineFilter = {
  readonly account_id?: number | undefined;
  readonly q?: string | undefined;
  readonly state?: MailState | undefined;
};

export async function readTimeline(
  platform: Platform,
  { account_id: accountId, q: text, state }: TimelineFilter,
  page: { readonly cursor: string | undefined; readonly limit: number },
): Promise<{ items: MailBody[]; next_cursor: string | null }> {
  const list = `mails ${JSON.stringify([accountId, text, state])}`;
  const position = readCursor(platform, list, page.cursor);
  const [at = "", id = ""] = position?.split(" ") ?? [];
  const found = await listMailsBefore(
    platform,
    { accountId, text, state },
    { before: position === undefined ? undefined : { at: Number(at), id }, count: page.limit + 1 },
  );
  const mails = found.slice(0, page.limit);
  const last = mails.at(-1);
  const isMore = found.length > page.limit && last !== undefined;
  return {
    items: await asBodies(platform, mails),
    next_cursor: isMore ? writeCursor(platform, list, `${last.created_at} ${last.id}`) : null,
  };
}

async function asBodies(platform: Platform, mails: readonly MailRow[]): Promise<MailBody[]> {
  const ids = mails.map(({ id }) => id);
  const stepsByMail = Map.groupBy(await listSteps(platform, ids), ({ mail_id: mailId }) => mailId);
  const tokens = new Map((await listTokens(platform, ids)).map((token) => [token.mail_id, token]));
  return mails.map((mail) => mailBody(platform, mail, stepsByMail.get(mail.id) ?? [], tokens.get(mail.id)));
}

type TokenRow = Pick<Selectable<Tables["mail_tokens"]>, "expires_at" | "used_at">;

function mailBody(
  platform: Pick<Platform, "clock">,
  mail: MailRow,
  steps: readonly MailStepRow[],
  token: TokenRow | undefined,
): MailBody {
  return {
    id: mail.id,
    kind: mail.kind as MailKind, // Written by `sendMail` alone.
    account_id: mail.account_id,
    recipient: mail.recipient,
    state: mail.state,
    created_at: timestamp(mail.created_at),
    expires_at: timestamp(mail.expires_at),
    tries: mail.tries,
    next_try_at: mail.state === "queued" && mail.due_at !== null ? timestamp(mail.due_at) : null,
    link: token && mail.account_id !== null ? linkBody(platform, steps, token) : null,
    steps: steps.map(({ at, step, words }) => ({ at: timestamp(at), step, words })),
  };
}

function linkBody(
  { clock }: Pick<Platform, "clock">,
  steps: readonly MailStepRow[],
  { expires_at: expiresAt, used_at: usedAt }: TokenRow,
): NonNullable<MailBody["link"]> {
  const isUsed = steps.some(({ step }) => step === "used");
  const state = isUsed ? "used" : usedAt !== null ? "void" : expiresAt <= clock.now() ? "expired" : "live";
  return { state, expires_at: timestamp(expiresAt) };
}
