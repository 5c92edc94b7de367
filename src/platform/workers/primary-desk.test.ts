import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { createTestClock } from "../../../test/support/test-clock.ts";
import { Problem } from "../../contract/problems.ts";
import { createSwitches, takeOverSwitches } from "../development-switches.ts";
import { createMemoryDecisionLog, type Decision, type NumberedDecision } from "../http/decisions.ts";
import { createInboxMailer } from "../mail/inbox-mailer.ts";
import { createMemoryRateLimiter } from "../rate-limit/memory-rate-limiter.ts";
import { rateLimiterConformance } from "../rate-limit/rate-limiter-conformance.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { readAllMetrics } from "./all-metrics.ts";
import { createPrimaryDecisionLog } from "./primary-decisions.ts";
import { createPrimaryDesk } from "./primary-desk.ts";
import { createPrimaryInbox } from "./primary-inbox.ts";
import { createPrimaryLink, type PrimaryLink } from "./primary-link.ts";
import { createPrimaryRateLimiter } from "./primary-rate-limiter.ts";
import type { FromPrimary, FromWorker, Pipe } from "./worker-messages.ts";

/** Two ends of what is between two processes: what is sent comes later, and as JSON. */
function createPipe(): { readonly here: Pipe<FromWorker, FromPrimary>; readonly there: Pipe<FromPrimary, FromWorker> } {
  const [toHere, toThere] = [new Set<(message: FromPrimary) => void>(), new Set<(message: FromWorker) => void>()];
  const later = <T>(listeners: ReadonlySet<(message: T) => void>, message: T): void => {
    const text = JSON.stringify(message);
    setImmediate(() => listeners.forEach((listener) => listener(JSON.parse(text) as T)));
  };
  return {
    here: { send: (message) => later(toThere, message), onMessage: (listener) => void toHere.add(listener) },
    there: { send: (message) => later(toHere, message), onMessage: (listener) => void toThere.add(listener) },
  };
}

function createMachine() {
  const clock = createTestClock();
  const switches = createSwitches(clock);
  const desk = createPrimaryDesk({
    rateLimiter: createMemoryRateLimiter(switches.clock, { keysMax: 1000 }),
    decisions: createMemoryDecisionLog(100),
    switches,
    inbox: createInboxMailer({ mailsMax: 10 }),
    log: pino({ level: "silent" }),
  });
  const hire = (): { link: PrimaryLink; leave: () => void } => {
    const { here, there } = createPipe();
    desk.attach(there);
    return { link: createPrimaryLink(here), leave: () => desk.detach(there) };
  };
  const hireDeaf = (): (() => void) => {
    const { there } = createPipe();
    desk.attach(there);
    return () => desk.detach(there);
  };
  return { clock, hire, hireDeaf };
}

rateLimiterConformance("primary process's", async () => {
  const { clock, hire } = createMachine();
  return {
    limiter: createPrimaryRateLimiter(hire().link),
    advance: async (milliseconds) => clock.advance(milliseconds),
  };
});

test("two workers count in one window, and one gives back what the other may take", async () => {
  const { hire } = createMachine();
  const limit = { name: "some", quota: 3, windowSeconds: 60 };
  const [one, other] = [createPrimaryRateLimiter(hire().link), createPrimaryRateLimiter(hire().link)];
  const takes = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : other).take(limit, "a"));
  const accepted = (await Promise.all(takes)).filter((decision) => decision.accepted);
  assert.equal(accepted.length, 3);
  await accepted[0]?.giveBack();
  assert.equal((await other.take(limit, "a")).accepted, true);
  assert.equal((await one.take(limit, "a")).accepted, false);
  assert.equal(one.keysHeld("some"), 1);
});

function decision(requestId: string): Decision {
  const about = { method: "GET", path: "/", status: 404, decidedBy: "route", code: "not-found" } as const;
  return { requestId, at: 1, ...about, accountId: null, address: "::1", gates: [] };
}

test("what one worker refuses another finds at once, lists, and hears of while it watches", async () => {
  const { hire } = createMachine();
  const [one, other] = [createPrimaryDecisionLog(hire().link), createPrimaryDecisionLog(hire().link)];
  one.record(decision("before"));
  assert.equal((await other.find("before"))?.requestId, "before");
  assert.equal(await other.find("unknown"), undefined);
  const heard: NumberedDecision[] = [];
  const end = await other.subscribe((told) => void heard.push(told));
  one.record(decision("watched"));
  other.record(decision("own"));
  const listed = await other.list({}, { count: 2 });
  assert.deepEqual(heard, listed.toReversed());
  assert.equal(heard.length, 2);
  end();
  await one.list({}, { count: 1 });
  one.record(decision("after"));
  assert.equal((await other.find("after"))?.requestId, "after");
  assert.equal(heard.length, 2);
});

test("a switch is turned in every worker when the answer comes, and so is the inbox; one that is gone is not waited for", async () => {
  const { clock, hire } = createMachine();
  const workers = [hire(), hire()].map(({ link, leave }) => {
    const switches = createSwitches(clock);
    link.hear((tidings) => tidings.about === "switches" && takeOverSwitches(switches, tidings.switches));
    return { link, leave, switches, mailer: createPrimaryInbox(link, { mailsMax: 10, before: [] }) };
  });
  const [one, other] = workers;
  assert.ok(one && other);
  await one.link.ask("turn", { turn: "clock-ahead", milliseconds: 5_000 });
  await other.link.ask("turn", { turn: "database-away", milliseconds: 7_000 });
  for (const { switches } of workers) {
    assert.equal(switches.clock.offsetMilliseconds(), 5_000);
    assert.equal(switches.outage.remainingMilliseconds(), 7_000);
  }
  await one.link.ask("turn", { turn: "clock-back" });
  await one.link.ask("turn", { turn: "database-there" });
  assert.deepEqual(
    workers.map(({ switches }) => [switches.clock.offsets(), switches.outage.remainingMilliseconds()]),
    Array.from({ length: 2 }, () => [{ time: 0, monotonic: 5_000 }, 0]),
  );
  const mail = { messageId: "<1@x>", writtenAt: 1, to: "a@example.com", subject: "s", text: "t", html: "h" };
  await other.mailer.send(mail);
  assert.deepEqual(one.mailer.inbox?.mails(), [mail]);
  const late = await hire().link.ask("development-state", null);
  assert.deepEqual([late.switches.clock.monotonic, late.mails], [5_000, [mail]]);
  await one.mailer.inbox?.clear();
  assert.deepEqual(other.mailer.inbox?.mails(), []);
});

test("the metrics of all workers are added up; one that is silent is left out", async () => {
  const { hire, hireDeaf } = createMachine();
  hireDeaf();
  const workers = [1, 2].map((number) => ({ number, primary: hire().link, metrics: createMetrics() }));
  for (const { number, primary, metrics } of workers) {
    primary.tellMetrics(() => metrics.registry.getMetricsAsJSON());
    metrics.signUps.inc(number);
    metrics.requestSeconds.observe(0.001);
  }
  for (const worker of workers) {
    const text = await readAllMetrics({ metrics: worker.metrics, worker });
    assert.match(text, /^tollgate_sign_ups_total 3$/m);
    assert.match(text, /^tollgate_request_duration_seconds_bucket\{le="\+Inf"\} 2$/m);
  }
  const [one] = workers;
  assert.ok(one);
  assert.match(await readAllMetrics({ metrics: one.metrics, worker: undefined }), /^tollgate_sign_ups_total 1$/m);
});

test("a worker that hears nothing is waited for until it is gone", async () => {
  const { hire, hireDeaf } = createMachine();
  const { link } = hire();
  const leave = hireDeaf();
  let isTurned = false;
  const turned = link.ask("turn", { turn: "clock-ahead", milliseconds: 1 }).then(() => (isTurned = true));
  await link.ask("development-state", null);
  assert.equal(isTurned, false);
  leave();
  await turned;
});

test("a primary process that does not answer is 503 for who asks, in bounded time", async () => {
  const silent: Pipe<FromWorker, FromPrimary> = { send: () => undefined, onMessage: () => undefined };
  const limiter = createPrimaryRateLimiter(createPrimaryLink(silent, 50));
  await assert.rejects(limiter.take({ name: "some", quota: 1, windowSeconds: 60 }, "a"), (error) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.code, error.status, error.headers["retry-after"]], ["busy", 503, "1"]);
    return true;
  });
});
