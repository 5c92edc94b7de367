import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * The rules that axe runs by default and, for WCAG 2.2 AA, that on the size of targets.
 * The page must be of a context with `bypassCSP`: axe is put into it from outside.
 */
export async function axeViolations(page: Page): Promise<unknown> {
  if ((await page.evaluate("typeof axe")) === "undefined") await page.addScriptTag({ content: axe });
  return await page.evaluate(
    `axe.run({ rules: { "target-size": { enabled: true } } })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes.map(({ html }) => html).join(" ")))`,
  );
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
