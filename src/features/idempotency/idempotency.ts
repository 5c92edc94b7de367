import type { IncomingHttpHeaders } from "node:http";
import { Problem, type Fault } from "../../contract/problems.ts";
import { isUniqueViolation } from "../../platform/database/database-faults.ts";
import { inTransaction } from "../../platform/database/transaction.ts";
import { asProblem } from "../../platform/http/problem-details.ts";
import type { Platform } from "../../platform/platform.ts";
import { deleteOldAnswers, findAnswer, insertAnswer } from "./idempotency-store.ts";

const keptMilliseconds = 24 * 3_600_000;
const keyLengthMax = 255;
const underWayMax = 10_000;
const purpose = "idempotent-answer";

/** The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header), 1 to 255 characters. */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && key.length >= 1 && key.length <= keyLengthMax) return key;
  const fault: Fault = {
    pointer: "Idempotency-Key",
    detail: `must have 1 to ${keyLengthMax} characters`,
    code: "too-long",
  };
  throw new Problem("validation-failed", { members: { errors: [fault] } });
}

/** A request that may come twice: who sends it, what it asks for, and by which key it is known again. */
export type RepeatableRequest = {
  /** undefined: the client does not ask for it, and each request stands for itself. */
  readonly key: string | undefined;
  readonly caller: string;
  readonly operation: string;
  readonly body: unknown;
  readonly requestId: string;
};

/** Keeps the answer. Call it in the transaction that makes what the answer speaks of: both are kept, or none. */
export type Keep<Answer> = (tx: Pick<Platform, "db">, answer: Answer) => Promise<void>;

type Kept<Answer> = { readonly answer: Answer } | { readonly refused: Refused };
type Refused = Pick<Problem, "code" | "detail" | "members" | "headers"> & { readonly requestId: string };

/** Under which tags the answer to a request is kept. */
type Place = { readonly id: string; readonly requestTag: string; readonly requestId: string };

// The requests of this process that are under way. Another process finds the kept answer, or makes it.
const underWay = new Set<string>();

/**
 * Does the work once for a key and a body, and gives the same answer for a day, also after a crash: the answer is kept
 * in the transaction of the work, encrypted, for it may hold tokens. A refusal is kept likewise, a 500 too, to the
 * letter; but not one that says itself when to come again (429, 503): there the work has not begun.
 *
 * @throws Problem `idempotency-key-reused` for the same key with another body, `request-in-progress` for one that is
 * still under way
 */
export async function onlyOnce<Answer>(
  platform: Platform,
  request: RepeatableRequest,
  work: (keep: Keep<Answer>) => Promise<Answer>,
): Promise<Answer> {
  const { key, caller, operation, body, requestId } = request;
  if (key === undefined) return work(async () => undefined);
  const id = platform.secrets.tag(purpose, JSON.stringify([caller, operation, key]));
  const requestTag = platform.secrets.tag(`${purpose}-body`, JSON.stringify(body));
  if (underWay.has(id) || underWay.size >= underWayMax) throw inProgress();
  underWay.add(id);
  try {
    const place = { id, requestTag, requestId };
    const kept = await readKept<Answer>(platform, place);
    return kept ? told(kept) : await workOnce(platform, place, work);
  } finally {
    underWay.delete(id);
  }
}

function inProgress(): Problem {
  return new Problem("request-in-progress", { headers: { "retry-after": "1" } });
}

async function workOnce<Answer>(
  platform: Platform,
  place: Place,
  work: (keep: Keep<Answer>) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work((tx, answer) => insertKept(platform, tx, place, { answer }));
  } catch (error) {
    const problem = asProblem(error);
    // A conflict, with itself perhaps: another process was quicker with the same key.
    const kept =
      isUniqueViolation(error) || problem.status === 409 ? await readKept<Answer>(platform, place) : undefined;
    if (kept) return told(kept);
    if (problem.gate !== "depend" && problem.gate !== "limit") await keepRefusal(platform, place, problem);
    throw error;
  }
}

async function keepRefusal(platform: Platform, place: Place, problem: Problem): Promise<void> {
  const { code, detail, members, headers } = problem;
  const refused = { code, detail, members, headers, requestId: place.requestId };
  try {
    await inTransaction(platform, (tx) => insertKept(platform, tx, place, { refused }));
  } catch (error) {
    // Nothing was done, so without it the next request is simply a new one.
    platform.log.warn({ request_id: place.requestId, err: error }, "the refusal was not kept for its Idempotency-Key");
  }
}

function told<Answer>(kept: Kept<Answer>): Answer {
  if ("answer" in kept) return kept.answer;
  const { code, requestId, ...options } = kept.refused;
  throw new Problem(code, { ...options, requestId, cause: new Error(`as the request ${requestId} was answered`) });
}

async function insertKept<Answer>(
  { secrets, clock }: Pick<Platform, "secrets" | "clock">,
  tx: Pick<Platform, "db">,
  { id, requestTag }: Place,
  kept: Kept<Answer>,
): Promise<void> {
  const now = clock.now();
  const sealed = secrets.encrypt(purpose, Buffer.from(JSON.stringify(kept)));
  await insertAnswer(
    tx,
    { id, request_tag: requestTag, answer_encrypted: sealed, created_at: now },
    now - keptMilliseconds,
  );
}

async function readKept<Answer>(
  platform: Pick<Platform, "db" | "secrets" | "clock">,
  { id, requestTag }: Place,
): Promise<Kept<Answer> | undefined> {
  const row = await findAnswer(platform, id, platform.clock.now() - keptMilliseconds);
  if (row === undefined) return undefined;
  if (row.request_tag !== requestTag) throw new Problem("idempotency-key-reused", { members: { errors: [reused] } });
  const text = Buffer.from(platform.secrets.decrypt(purpose, row.answer_encrypted)).toString();
  // What was put in came from `insertKept` with the same type: the operation is part of the id.
  return JSON.parse(text) as Kept<Answer>;
}

const reused: Fault = { pointer: "Idempotency-Key", detail: "was given with another body", code: "reused" };

const purgeStep = 500;

/** Deletes some answers that are older than a day. Returns whether there may be more. */
export async function purgeAnswers(platform: Pick<Platform, "db" | "clock">): Promise<boolean> {
  return (await deleteOldAnswers(platform, platform.clock.now() - keptMilliseconds, purgeStep)) === purgeStep;
}
