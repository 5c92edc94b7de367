/**
 * A reporter of node:test for check.ts: one line of JSON for each test, with what a person needs to know of it.
 * Node.js loads it in the process that runs an exercise's test.
 */
import type { TestEvent } from "node:test/reporters";

export type TestReport = {
  readonly name: string;
  readonly passed: boolean;
  /** How it failed: the exercise is not right yet, something else was thrown, or it never ended. */
  readonly kind?: "assertion" | "error" | "timeout";
  /** The assertion's own words, or the error's name and message. */
  readonly message?: string;
  readonly stack?: string;
};

/** The last line, when the tests came to their end. */
export const endOfReports = "end";

// oxlint-disable-next-line import/no-default-export -- Node.js takes the default export of a reporter.
export default async function* wordsReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const report =
      event.type === "test:pass" ? passed(event.data.name) : failed(event.data.name, event.data.details.error);
    yield `${JSON.stringify(report)}\n`;
  }
  yield `${endOfReports}\n`;
}

function passed(name: string): TestReport {
  return { name, passed: true };
}

function failed(name: string, failure: Error): TestReport {
  const { cause } = failure;
  if ("failureType" in failure && failure.failureType === "testTimeoutFailure") {
    return { name, passed: false, kind: "timeout" };
  }
  if (!(cause instanceof Error)) return { name, passed: false, kind: "error", message: String(cause) };
  const isAssertion = "code" in cause && cause.code === "ERR_ASSERTION";
  // After the first line of an assertion Node.js appends its own comparison, which is made for developers.
  const message = isAssertion ? (cause.message.split("\n")[0] ?? "") : `${cause.name}: ${cause.message}`;
  return { name, passed: false, kind: isAssertion ? "assertion" : "error", message, stack: cause.stack ?? "" };
}
