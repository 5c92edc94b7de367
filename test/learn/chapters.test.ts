import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunPart } from "../../web/learn/chapter-format.ts";
import { differences } from "../../web/learn/chapter-run.ts";
import { createChapterRunner, readChapters } from "../support/chapters.ts";

const chapters = readChapters();

it("there are chapters, numbered from 01 without a gap", () => {
  const numbers = chapters.map(({ file }) => file.slice(0, 2));
  assert.ok(numbers.length > 0);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => String(index + 1).padStart(2, "0")),
  );
});

for (const { file, source, chapter } of chapters) {
  const steps = chapter.parts.filter((part): part is RunPart => part.kind === "run");
  describe(`${file}: ${chapter.title}`, () => {
    it("has two steps to run and an exercise", () => {
      assert.ok(steps.length >= 2, `${steps.length} steps`);
      assert.match(source, /\]\(\.\.\/\.\.\/learn\/exercises\/[0-9]{2}-[a-z0-9-]+\/README\.md\)/);
    });

    it("answers each step as the chapter says", async () => {
      const { run, server } = await createChapterRunner();
      for (const step of steps) {
        const { answer, values } = await run(step);
        const said = `${step.id} ${step.request.method} ${step.request.path}`;
        assert.deepEqual(differences(step.expect, answer, values), [], `${said}: ${JSON.stringify(answer.body)}`);
      }
      assert.equal(server.platform.config.mode, "development");
    });
  });
}
