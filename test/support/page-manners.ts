import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * In both colour schemes, the rules that axe runs by default and, for WCAG 2.2 AA, that on the size of targets. In the
 * dark only what is about colours: nothing else changes.
 * The page must be of a context with `bypassCSP`: axe is put into it from outside.
 */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.addScriptTag({ content: axe });
  for (const [colorScheme, options] of [
    ["dark", `runOnly: ["color-contrast", "link-in-text-block"]`],
    ["light", `rules: { "target-size": { enabled: true } }`],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const violations: unknown = await page.evaluate(
      // What passes is not described: that takes most of the time.
      `axe.run({ ${options}, resultTypes: ["violations"], selectors: false }).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + " " + nodes.map(({ html }) => html).join(" ")))`,
    );
    assert.deepEqual(violations, [], `${what}, ${colorScheme}`);
  }
}

/** In both colour schemes, whole, for a person to look at. */
export async function takePictures(page: Page, path: string): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${path}-${colorScheme}.png`, fullPage: true });
  }
}

/** By how many pixels the page scrolls sideways, once it has drawn itself for the window's size. */
export async function sidewaysPixels(page: Page): Promise<unknown> {
  await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** WCAG 2.2.2: what moves by itself stops within five seconds. */
export async function endlessAnimations(page: Page): Promise<unknown> {
  return await page.evaluate(
    "document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime > 5000).length",
  );
}

export async function hasVisibleFocus(page: Page): Promise<unknown> {
  return await page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'");
}

/** Of everything that the first load of any page brings, compressed. */
const firstLoadBytesMax = 60 * 1024;

export type Load = {
  /** Of each file, as gzip leaves it. */
  readonly sizes: readonly number[];
  /** Where they came from, each once. */
  readonly origins: readonly string[];
};

/** Listens from now on; ask for the sum when the page is there. */
export function watchLoad(page: Page): () => Promise<Load> {
  const bodies: { readonly from: string; readonly body: Promise<Buffer> }[] = [];
  page.on("response", (response) => {
    // The tab's own icon may come after the load, even as the page closes. It is also in the page, and counted there.
    const body = response.body().catch(() => Buffer.alloc(0));
    bodies.push({ from: new URL(response.url()).origin, body });
  });
  return async () => ({
    sizes: await Promise.all(bodies.map(async ({ body }) => gzipSync(await body).length)),
    origins: [...new Set(bodies.map(({ from }) => from))],
  });
}

export function assertLightLoad({ sizes }: Load, what: string): void {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.length >= 2 && bytes <= firstLoadBytesMax, `${what} has ${bytes} bytes in ${sizes.length} files`);
}

const stopsMax = 200;

/**
 * Tabs through the whole page from its start. Everything that can be used is reached, each stop can be seen, and no
 * place holds the keyboard back. Of radio buttons only the chosen one is a stop, as everywhere.
 */
export async function assertKeyboardReachesAll(page: Page): Promise<void> {
  await page.evaluate(
    `document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    for (const one of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']"))
      if (one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0 && (one.type !== "radio" || one.checked))
        one.dataset.waiting = "";`,
  );
  const stops: string[] = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const stop: unknown = await page.evaluate(
      `document.activeElement === document.body ? "" : (delete document.activeElement.dataset.waiting,
        document.activeElement.tagName + " " + (document.activeElement.ariaLabel ?? document.activeElement.textContent).trim())`,
    );
    if (stop === "") break;
    assert.equal(await hasVisibleFocus(page), true, `the focus on ${String(stop)} can be seen`);
    stops.push(String(stop));
    assert.ok(stops.length < stopsMax, `the keyboard never leaves: ${stops.slice(-5).join(", ")}`);
  }
  const missed: unknown = await page.evaluate(
    "Array.from(document.querySelectorAll('[data-waiting]'), (one) => one.outerHTML)",
  );
  assert.deepEqual(missed, [], `not reached in ${stops.length} stops`);
}
