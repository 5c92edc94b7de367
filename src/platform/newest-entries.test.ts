import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNewestEntries } from "./newest-entries.ts";

test("however entries come in, the newest are there, newest first, and no other", () => {
  const key = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(key, { maxLength: 60 }), (max, keys) => {
      const entries = createNewestEntries<number, string>(max);
      let model: { readonly key: number; readonly value: string }[] = []; // Oldest first.
      for (const [index, each] of keys.entries()) {
        const value = `${each}: ${index}`;
        entries.set(each, value);
        const at = model.findIndex((one) => one.key === each);
        model = at === -1 ? [...model, { key: each, value }].slice(-max) : model.with(at, { key: each, value });
        assert.deepEqual(
          [...entries.newestFirst()],
          model.toReversed().map((one) => one.value),
        );
        for (let one = 0; one <= 12; one += 1) {
          assert.equal(entries.get(one), model.find(({ key: known }) => known === one)?.value);
        }
      }
    }),
  );
});
