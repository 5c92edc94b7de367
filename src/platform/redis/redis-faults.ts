/**
 * Redis could not be asked, or not in time. `reason` is fit for logs and pages: a word of a known form, never a
 * library's own message, which can hold passwords ("ERR unknown command 'HELLO' with args …") and keys.
 */
export class RedisAway extends Error {
  override readonly name = "RedisAway";
  readonly reason: string;
  /** What was sent and not answered in time may still be done: its answer, should one come. */
  readonly late: Promise<unknown> | undefined;

  constructor(reason: string, late?: Promise<unknown>) {
    super(`Redis is away (${reason})`);
    this.reason = reason;
    this.late = late;
  }
}

/** The time for an answer is over. */
export class RedisLate extends Error {
  override readonly name = "RedisLate";
}

/**
 * What is wrong, in one or two words: a system error's code, or the first word of what Redis says (OOM, NOAUTH).
 * undefined for the rest, which is that there is no connection.
 */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof RedisAway) return error.reason;
  if (error instanceof RedisLate) return "no answer in time";
  if (!(error instanceof Error)) return undefined;
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) return reasonOf(error.lastNodeError);
  if ("code" in error && typeof error.code === "string" && /^[A-Z][A-Z_]{2,60}$/.test(error.code)) return error.code;
  return /^[A-Z]{2,20}(?= )/.exec(error.message)?.[0];
}

export function isNotLoaded(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
