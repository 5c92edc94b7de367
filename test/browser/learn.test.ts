import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { readChapters } from "../support/chapters.ts";
import { startServer } from "../support/server-process.ts";

test("each request of the tutorial runs in its page and is answered as the chapter says; progress is kept", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { port } = await startServer(t);
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const complaints = complaintsOf(page);
  const chapters = readChapters();
  assert.equal(chapters.length, 10);
  for (const { file, chapter } of chapters) {
    await page.goto(`http://localhost:${port}/learn/${file.replace(/\.md$/, "")}`);
    assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), chapter.title);
    const steps = chapter.parts.filter(({ kind }) => kind === "run");
    assert.ok(steps.length >= 2, file);
    await runAll(page, steps.length, file);
  }
  await page.goto(`http://localhost:${port}/learn`);
  assert.deepEqual(
    await page.locator("[data-progress]").allInnerTexts(),
    chapters.map(() => "all run"),
  );
  // What the chapters ask to be refused, a browser complains of by itself.
  assert.deepEqual(
    complaints.filter((text) => !/the server responded with a status of 4\d\d/.test(text)),
    [],
  );
});

async function runAll(page: Page, count: number, file: string): Promise<void> {
  const places = page.locator("[data-step]");
  for (let index = 0; index < count; index += 1) {
    const place = places.nth(index);
    await place.getByRole("button", { name: "Run" }).click();
    await place
      .locator("output", { hasText: "As expected." })
      .or(place.locator("[role=alert]:not(:empty)"))
      .first()
      .waitFor();
    assert.equal(
      await place.locator("output").innerText(),
      "As expected.",
      `${file}, step ${index + 1}: ${await place.innerText()}`,
    );
  }
}
