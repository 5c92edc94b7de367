import { RedisAway } from "./redis-faults.ts";
import type { RedisScript } from "./redis-script.ts";

type Args = readonly (string | number)[];

export type RedisBatches = {
  /** What the script answers about this key. Throws RedisAway. */
  readonly ask: (script: RedisScript, key: string, args: Args) => Promise<unknown>;
  /** Sends at once what is still waiting for others. */
  readonly send: () => void;
};

type Parts = {
  /** Throws RedisAway. */
  readonly call: (script: RedisScript, keys: readonly string[], args: Args) => Promise<unknown>;
  /** What becomes of a question that failed alone. */
  readonly failed: (error: Error, asked: { readonly key: string; readonly at: number }) => RedisAway;
  readonly now: () => number;
  /** So many leave without waiting for others. */
  readonly questionsMax: number;
};

type Question = {
  readonly key: string;
  readonly args: Args;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Gathers what is asked of a script for many (see redis-script.ts) in one round of the event loop into one call: under
 * load a call for each costs this process and Redis more than the question itself.
 */
export function createRedisBatches({ call, failed, now, questionsMax }: Parts): RedisBatches {
  const waiting = new Map<RedisScript, Question[]>();
  let isToBeSent = false;
  const sendOne = async (script: RedisScript, questions: readonly Question[]): Promise<void> => {
    const at = now();
    const keys = questions.map(({ key }) => key);
    const args = questions.flatMap((question) => question.args);
    try {
      const answers = readAnswers(await call(script, keys, args), questions.length);
      for (const [index, { key, resolve, reject }] of questions.entries()) {
        const answer = answers(index);
        if (answer[0] instanceof Error) reject(failed(answer[0], { key, at }));
        else resolve(answer);
      }
    } catch (error) {
      for (const [index, { reject }] of questions.entries()) reject(partOfFault(error, index, questions.length));
    }
  };
  const send = (): void => {
    isToBeSent = false;
    for (const [script, questions] of waiting) void sendOne(script, questions);
    waiting.clear();
  };
  const add = (script: RedisScript, question: Question): void => {
    const questions = waiting.get(script) ?? [];
    questions.push(question);
    if (questions.length >= questionsMax) {
      waiting.delete(script);
      void sendOne(script, questions);
      return;
    }
    waiting.set(script, questions);
    if (isToBeSent) return;
    isToBeSent = true;
    setImmediate(send);
  };
  return {
    ask: (script, key, args) =>
      new Promise((resolve, reject) => {
        add(script, { key, args, resolve, reject });
      }),
    send,
  };
}

/** The answers stand one after the other, each of as many values; what failed has its error in the first place. */
function readAnswers(answers: unknown, count: number): (index: number) => readonly unknown[] {
  if (!Array.isArray(answers) || answers.length % count !== 0) throw new Error("A script answered in another way.");
  const values: readonly unknown[] = answers;
  const length = values.length / count;
  return (index) => values.slice(index * length, (index + 1) * length);
}

/** What befell a call befell each question; should the answers come late, each question has its own. */
function partOfFault(fault: unknown, index: number, count: number): unknown {
  if (!(fault instanceof RedisAway) || fault.late === undefined) return fault;
  const late = fault.late.then((answers) => {
    const answer = readAnswers(answers, count)(index);
    if (answer[0] instanceof Error) throw answer[0];
    return answer;
  });
  // Not everybody wants to hear of it.
  late.catch(() => undefined);
  return new RedisAway(fault.reason, late);
}
