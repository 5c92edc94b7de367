import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { BrowserContext } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { axeViolations, endlessAnimations, hasVisibleFocus, sidewaysPixels } from "../support/page-manners.ts";
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
const firstLoadBytesMax = 60 * 1024;

test("the pages are for everybody: both schemes, narrow screens, keyboard alone, nothing from elsewhere", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { url } = await startServer(t, { env: { LIMIT_API: "off" } });
  for (const colorScheme of ["light", "dark"] as const) {
    // axe is put into the page from outside; the page itself runs under its own policy in the second context.
    const inspected = await browser.newContext({ colorScheme, bypassCSP: true });
    const seen = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
    for (const path of paths) {
      assert.deepEqual(await inspect(inspected, url + path), [], `${path} ${colorScheme}`);
      await checkAsSeen(seen, url, path);
    }
  }
});

async function inspect(context: BrowserContext, address: string): Promise<unknown> {
  const page = await context.newPage();
  await page.goto(address);
  const violations = await axeViolations(page);
  await page.close();
  return violations;
}

async function checkAsSeen(context: BrowserContext, origin: string, path: string): Promise<void> {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  const bodies: { readonly from: string; readonly body: Promise<Buffer> }[] = [];
  page.on("response", (response) => {
    // The tab's own icon may come after the load, even as the page closes. It is also in the page, and counted there.
    const body = response.body().catch(() => Buffer.alloc(0));
    bodies.push({ from: new URL(response.url()).origin, body });
  });
  const response = await page.goto(origin + path, { waitUntil: "load" });
  assert.equal(response?.status(), 200);

  const sizes = await Promise.all(bodies.map(async ({ body }) => gzipSync(await body).length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.length >= 2 && bytes <= firstLoadBytesMax, `${path} has ${bytes} bytes in ${sizes.length} files`);
  assert.deepEqual([...new Set(bodies.map(({ from }) => from))], [origin]);

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
