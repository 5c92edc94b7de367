/** Each exercise is there in full, its starting point fails for the reason that it is about, and its solution passes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { checkExercise } from "../../learn/runner/check.ts";
import { findExercise, readExercises } from "../../learn/runner/exercises.ts";
import { learnCopy } from "../support/learn-copy.ts";

const root = join(import.meta.dirname, "../..");

/** What the first complaint of each starting point is about. */
const intended: Readonly<Record<string, RegExp>> = {
  "01-secrets-from-the-environment": /^SECRET_KEY was not set, and readSecret returned something nevertheless/,
  "02-two-sign-ups-at-once": /^Ten sign-ups of one address came at once, and 10 got an account\./,
  "03-stored-passwords": /^The stored text holds the password as it is/,
  "04-every-fault-at-once": /must have #\/email format: a page must know which field to mark\.$/,
  "05-tampered-token": /^A token without a signature was believed, because its header says alg "none"/,
  "06-refresh-reuse": /^A token that was used before came again, and the answer was rotated\./,
  "07-sliding-window": /^Five were accepted, and two seconds later 5 more: that is 10 within two seconds\.$/,
  "08-true-retry-after": /^The oldest request is 18 seconds old, so it leaves in 42/,
  "09-route-order": /^GET \/users\/me led to GET \/users\/:id id=me \(as the routes stand in the list\)\./,
  "10-401-or-403": /^No token: the answer was 403 permission-denied\. It must be 401 token-missing, Bearer/,
  "11-unknown-user": /^For an unknown address the answer is "404 user-not-found/,
  "12-only-once": /^The answer got lost, and the same request came again: it was paid 2 times\.$/,
};

const learn = learnCopy();
const exercises = readExercises(learn);

describe("the exercises", () => {
  it("are twelve, and each starting point's fault is named", () => {
    assert.equal(exercises.length, 12);
    assert.deepEqual(exercises.map(({ id }) => id).sort(), Object.keys(intended).sort());
  });

  it("can be named in four ways", () => {
    for (const text of ["9", "09", "09-route-order", "route-order"]) {
      assert.equal(findExercise(exercises, text)?.id, "09-route-order", text);
    }
    for (const text of ["", "0", "13", "900", "route", "-1", "constructor"]) {
      assert.equal(findExercise(exercises, text), undefined, text);
    }
  });

  it("are committed as their starting points are", () => {
    // What is committed, not what is on the disk: there a learner may be half way through.
    const listed = execFileSync("git", ["ls-files", "--stage", "learn"], { cwd: root, encoding: "utf8" });
    const blobs = new Map(
      listed.split("\n").map((line) => {
        const [, blob = "", , path = ""] = line.split(/\s/);
        return [path, blob];
      }),
    );
    for (const { id, file } of exercises) {
      const [exercise, startingPoint] = ["exercises", "starting-points"].map((folder) =>
        blobs.get(`learn/${folder}/${id}/${basename(file)}`),
      );
      assert.ok(exercise !== undefined, `${id} is not committed`);
      assert.equal(startingPoint, exercise, id);
    }
  });

  it("have no file but those that they need", () => {
    const names = exercises.flatMap(({ id, file, test }) => [
      ...["README.md", "hints.md", basename(file), basename(test)].map((name) => `exercises/${id}/${name}`),
      `solutions/${id}/${basename(file)}`,
      `starting-points/${id}/${basename(file)}`,
    ]);
    const present = globSync("{exercises,solutions,starting-points}/*/*", { cwd: join(root, "learn") });
    assert.deepEqual(present.sort(), names.sort());
  });
});

for (const exercise of exercises) {
  describe(`${exercise.number} ${exercise.title}`, () => {
    it("has a task, a chapter that leads to it, and two to four hints", () => {
      const { id, number, title, task, hints } = exercise;
      const readme = readFileSync(join(root, "learn/exercises", id, "README.md"), "utf8");
      assert.ok(readme.startsWith(`# ${number} ${title}\n\n`));
      const chapter = /\]\(\.\.\/\.\.\/\.\.\/docs\/learn\/([0-9]{2}-[a-z-]+\.md)\)/.exec(task)?.[1] ?? "";
      const text = readFileSync(join(root, "docs/learn", chapter), "utf8");
      assert.ok(text.includes(`[${number} ${title}](../../learn/exercises/${id}/README.md)`), `${chapter} does not`);
      assert.ok(hints.length >= 2 && hints.length <= 4, `${hints.length} hints`);
    });

    it("fails at its starting point, for its own reason", async () => {
      copyFileSync(exercise.startingPoint, exercise.file);
      const result = await checkExercise(exercise);
      assert.equal(result.outcome, "failed");
      assert.ok(result.outcome === "failed");
      assert.match(result.complaint, intended[exercise.id] ?? /^$/);
      // Some of it is right from the beginning, or nothing could be learned from the sentences that are not.
      assert.ok(exercise.id === "03-stored-passwords" || result.tests.some(({ passed }) => passed));
    });

    it("complains in sentences", async () => {
      copyFileSync(exercise.startingPoint, exercise.file);
      const result = await checkExercise(exercise);
      assert.ok(result.outcome === "failed");
      assert.match(result.complaint, /\.$/);
      assert.doesNotMatch(result.complaint, /AssertionError|file:\/\/|\n| at \w+ \(|Expected values/);
    });

    it("passes with its solution", async () => {
      copyFileSync(exercise.solution, exercise.file);
      const result = await checkExercise(exercise);
      assert.equal(result.outcome, "passed", JSON.stringify(result));
    });
  });
}
