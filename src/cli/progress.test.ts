import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgress } from "./progress.ts";

test("on a terminal one line is drawn again and again, and goes at the end", () => {
  const drawn: string[] = [];
  const progress = createProgress({ redraw: (line) => drawn.push(line), err: () => assert.fail("no other line") });
  progress.show("copying accounts", 0, 10);
  progress.show("copying sessions", 10, 10);
  progress.end();
  assert.deepEqual(drawn, [
    "[..............................]   0 %  copying accounts",
    "[##############################] 100 %  copying sessions",
    "",
  ]);
});

test("without one there is a line for each tenth of the way, whatever the steps", () => {
  const lines: string[] = [];
  const progress = createProgress({ err: (line) => lines.push(line) });
  for (let done = 0; done <= 1000; done += 7) progress.show("copying", done, 1000);
  progress.show("comparing", 1000, 1000);
  progress.show("comparing", 1000, 1000);
  progress.end();
  assert.equal(lines.length, 11);
  assert.deepEqual([lines[0], lines[1]?.slice(0, 3), lines.at(-1)], ["0 %, copying", "10 ", "100 %, comparing"]);
});
