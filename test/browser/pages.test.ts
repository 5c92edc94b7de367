import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import {
  assertLightLoad,
  assertAccessible,
  endlessAnimations,
  hasVisibleFocus,
  sidewaysPixels,
  watchLoad,
} from "../support/page-manners.ts";
import { startServer } from "../support/server-process.ts";

const paths = [
  "/",
  "/errors",
  "/errors/validation-failed",
  "/errors/too-many-requests",
  "/lab",
  "/learn",
  "/learn/02-database",
  "/sign-in",
  "/sign-in/by-mail",
  "/sign-up",
  "/mail/forgot",
  "/mail/verify",
  "/mail/reset",
  "/mail/change-email",
  "/mail/sign-in",
  "/mail/undo-email-change",
  "/mail/not-me",
  "/dev/inbox",
  "/dev/mail",
];

test("the pages are for everybody: both schemes, narrow screens, keyboard alone, nothing from elsewhere", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { url } = await startServer(t, { env: { LIMIT_API: "off", SIGN_IN_BY_MAIL: "on" } });
  // axe is put into the page from outside; the page itself runs under its own policy in the second context.
  const inspected = await browser.newContext({ bypassCSP: true, reducedMotion: "reduce" });
  const seen = await browser.newContext({ viewport: { width: 320, height: 640 } });
  for (const path of paths) {
    await inspect(inspected, url, path);
    await checkAsSeen(seen, url, path);
  }
});

async function inspect(context: BrowserContext, origin: string, path: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(origin + path);
  await assertAccessible(page, path);
  await page.close();
}

async function checkAsSeen(context: BrowserContext, origin: string, path: string): Promise<void> {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  const load = watchLoad(page);
  const response = await page.goto(origin + path, { waitUntil: "load" });
  assert.equal(response?.status(), 200);

  const loaded = await load();
  assertLightLoad(loaded, path);
  assert.deepEqual(loaded.origins, [origin]);

  assert.equal(await sidewaysPixels(page), 0, `${path} scrolls sideways at 320 px`);
  assert.equal(await endlessAnimations(page), 0, path);

  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "main");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.closest('main') !== null"), true, "the next stop is in it");
  assert.equal(await hasVisibleFocus(page), true);
  assert.deepEqual(complaints, [], path);
  await page.close();
}
