import { Problem } from "../../../src/contract/problems.ts";

export type Request = { readonly caller: string; readonly key: string; readonly body: unknown };

/** Does the work for a request, but only the first time it comes. */
export type OnlyOnce<Answer> = (request: Request, work: () => Promise<Answer>) => Promise<Answer>;

const keptMilliseconds = 24 * 3_600_000;

/**
 * `now` tells the time in milliseconds.
 *
 * @throws Problem `idempotency-key-reused`, `request-in-progress`
 */
export function createOnlyOnce<Answer>(now: () => number): OnlyOnce<Answer> {
  const answers = new Map<string, { readonly answer: Answer; readonly body: string; readonly at: number }>();
  const underWay = new Set<string>();
  return async (request, work) => {
    // As JSON, so that no caller and key together look like another caller and key.
    const id = JSON.stringify([request.caller, request.key]);
    const body = JSON.stringify(request.body);
    const kept = answers.get(id);
    if (kept !== undefined && now() - kept.at < keptMilliseconds) {
      if (kept.body !== body) throw new Problem("idempotency-key-reused");
      return kept.answer;
    }
    if (underWay.has(id)) throw new Problem("request-in-progress");
    underWay.add(id);
    try {
      const answer = await work();
      answers.set(id, { answer, body, at: now() });
      return answer;
    } finally {
      underWay.delete(id);
    }
  };
}
