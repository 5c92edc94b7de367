import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions, type Sessions } from "./refresh-tokens.ts";

/** Uses a token that must work, and returns the next one. */
function next(sessions: Sessions, token: string): string {
  const refreshed = sessions.refresh(token);
  assert.equal(
    refreshed.outcome,
    "rotated",
    `The newest token of a living session was refused as ${refreshed.outcome}.`,
  );
  return refreshed.outcome === "rotated" ? refreshed.token : "";
}

function outcome(sessions: Sessions, token: string): string {
  return sessions.refresh(token).outcome;
}

test("each use gives the next token", () => {
  const sessions = createSessions();
  const first = sessions.start();
  const second = next(sessions, first);
  assert.notEqual(second, first, "The next token is the same as the one that was used.");
  next(sessions, next(sessions, second));
});

test("a used token does not work again", () => {
  const sessions = createSessions();
  const stolen = sessions.start();
  next(sessions, stolen);
  const seen = outcome(sessions, stolen);
  const why = "Two people have it. Whoever it is, the answer is reused.";
  assert.equal(seen, "reused", `A token that was used before came again, and the answer was ${seen}. ${why}`);
});

test("its session is over, for the newest token too", () => {
  const sessions = createSessions();
  const stolen = sessions.start();
  // The thief is quicker, and has the newest token now. Then the owner comes with the old one.
  const ofTheThief = next(sessions, stolen);
  outcome(sessions, stolen);
  const seen = outcome(sessions, ofTheThief);
  const why = "The server does not know who the thief is, so neither may go on.";
  assert.equal(seen, "revoked", `After a reuse the newest token of the session was ${seen}. ${why}`);
});

test("an old token is recognised, however old it is", () => {
  const sessions = createSessions();
  const first = sessions.start();
  let newest = first;
  for (let use = 0; use < 50; use += 1) newest = next(sessions, newest);
  assert.equal(
    outcome(sessions, first),
    "reused",
    "A token that was used fifty uses ago was not recognised as reused.",
  );
  assert.equal(outcome(sessions, newest), "revoked", "The session went on after the reuse of an old token.");
});

test("every token of an ended session is revoked", () => {
  const sessions = createSessions();
  const first = sessions.start();
  const second = next(sessions, first);
  outcome(sessions, first);
  for (const token of [first, second, first]) {
    assert.equal(
      outcome(sessions, token),
      "revoked",
      "The session is over; each of its tokens is revoked from then on.",
    );
  }
});

test("other sessions do not notice", () => {
  const sessions = createSessions();
  const [mine, yours] = [sessions.start(), sessions.start()];
  next(sessions, mine);
  outcome(sessions, mine);
  const seen = outcome(sessions, yours);
  assert.equal(seen, "rotated", `A theft in one session ended another one: its token was ${seen}.`);
});

test("what was never a token is unknown", () => {
  const sessions = createSessions();
  sessions.start();
  for (const token of ["", "made up", "undefined"]) {
    assert.equal(outcome(sessions, token), "unknown", `${JSON.stringify(token)} was never one of ours.`);
  }
});
