import { DatabaseSync } from "node:sqlite";

/**
 * What the purge forgets, and when: the same terms as in the server, which does not turn its clock in production.
 * Instead of waiting for a week, rows are put in that will have waited for it during the run, one after the other.
 */
const minuteMilliseconds = 60_000;
const hourMilliseconds = 60 * minuteMilliseconds;
const endedRemainMilliseconds = 7 * 24 * hourMilliseconds;
const answersKeptMilliseconds = 24 * hourMilliseconds;
const activityKeptMilliseconds = 2 * hourMilliseconds;

export type Terms = { readonly minutes: number; readonly perMinute: number; readonly idleMilliseconds: number };

/** Rows that fall due while the benchmark runs: sessions that ended, expired and idled out, answers, and counters. */
export function insertHistory(path: string, { minutes, perMinute, idleMilliseconds }: Terms): void {
  const db = new DatabaseSync(path);
  const now = Date.now();
  const every = minuteMilliseconds / perMinute;
  const recent = now - hourMilliseconds;
  const columns =
    "id, account_id, created_at, authenticated_at, last_used_at, expires_at, ended_at, end_reason, address, user_agent, refresh_secret, refresh_generation, refreshed_at, refresh_key_tags";
  const session = db.prepare(
    `insert into sessions (${columns}) select lower(hex(randomblob(16))), account_id, :made, :made, :used, :expires, :ended,
     case when :ended is null then null else 'signed-out' end, address, user_agent, refresh_secret, refresh_generation, refreshed_at, refresh_key_tags
     from sessions limit 1`,
  );
  const answer = db.prepare("insert into idempotent_answers values (lower(hex(randomblob(16))), '', x'00', ?)");
  const counter = db.prepare("insert into activity (minutes, starts_at, name, count) values (1, ?, 'signIns', 1)");
  db.exec("begin immediate");
  for (let index = 0; index < minutes * perMinute; index += 1) {
    const due = now + index * every;
    const over = due - endedRemainMilliseconds;
    const made = over - idleMilliseconds - hourMilliseconds;
    session.run({ made, used: recent, expires: now + endedRemainMilliseconds, ended: over });
    session.run({ made, used: recent, expires: over, ended: null });
    session.run({ made, used: over - idleMilliseconds, expires: now + endedRemainMilliseconds, ended: null });
    answer.run(due - answersKeptMilliseconds);
  }
  for (let minute = 0; minute < minutes; minute += 1) {
    const due = Math.floor(now / minuteMilliseconds + minute) * minuteMilliseconds;
    counter.run(due - activityKeptMilliseconds);
  }
  db.exec("commit");
  db.close();
}

export type Rows = Readonly<Record<"sessions" | "answers" | "accounts" | "activity" | "events" | "overdue", number>>;

export type RowCounter = { readonly read: () => Rows; readonly close: () => void };

/** Counts by a connection of its own that cannot write. `overdue`: what should be gone by now. */
export function openRowCounter(path: string, { idleMilliseconds }: Pick<Terms, "idleMilliseconds">): RowCounter {
  const db = new DatabaseSync(path, { readOnly: true });
  const counts = db.prepare(`select (select count(*) from sessions) as sessions,
    (select count(*) from idempotent_answers) as answers, (select count(*) from accounts) as accounts,
    (select count(*) from activity) as activity, (select count(*) from events) as events,
    (select count(*) from sessions where ended_at < :over or expires_at < :over or last_used_at < :idle)
    + (select count(*) from idempotent_answers where created_at < :answers)
    + (select count(*) from activity where minutes = 1 and starts_at < :activity) as overdue`);
  return {
    read: () => {
      const now = Date.now();
      const over = now - endedRemainMilliseconds;
      const times = { answers: now - answersKeptMilliseconds, activity: now - activityKeptMilliseconds };
      return counts.get({ over, idle: over - idleMilliseconds, ...times }) as Rows;
    },
    close: () => db.close(),
  };
}
