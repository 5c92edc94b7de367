import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { assertAccessible, sidewaysPixels, takePictures } from "../support/page-manners.ts";
import { createTestServer } from "../support/test-server.ts";

/** Mails with all that a layout can have, on which axe looks; all share the layout. */
const fullest = ["reset-password", "email-changed"];

/** SCREENSHOTS=directory keeps a picture of each, for a person to look at. */
const pictures = process.env["SCREENSHOTS"];

test("each mail is readable on a narrow screen and a wide one, in both schemes and languages", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const server = await createTestServer();
  const preview = (path: string) => server.request("GET", path, { address: "127.0.0.1" });
  const { kinds, locales } = (await preview("/dev/mail")).body as { kinds: string[]; locales: string[] };
  assert.deepEqual(locales, ["en", "de"]);
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  for (const locale of locales) {
    for (const kind of kinds) {
      const { body } = await preview(`/dev/mail/${kind}?locale=${locale}`);
      await page.setContent(String(body["html"]));
      await checkLook(page, `${kind} ${locale}`, locale, fullest.includes(kind));
    }
  }
  assert.deepEqual(requests, [], "a mail loads nothing");
});

async function checkLook(page: Page, what: string, locale: string, isForAxe: boolean): Promise<void> {
  for (const width of [320, 600]) {
    await page.setViewportSize({ width, height: 800 });
    assert.equal(await sidewaysPixels(page), 0, `${what} scrolls sideways at ${width} px`);
    if (pictures !== undefined) await takePictures(page, `${pictures}/mail-${what.replaceAll(" ", "-")}-${width}`);
  }
  assert.equal(await page.evaluate("document.documentElement.lang"), locale, what);
  assert.notEqual(await page.title(), "", what);
  if (isForAxe) await assertAccessible(page, what);
}
