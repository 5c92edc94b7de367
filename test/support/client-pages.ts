import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Seen } from "./client-site.ts";

// What the tests of the browser client do in its pages, and ask them.

export const refreshPath = "/auth/refresh";
export const token = "client.token()";
export const statusOfMe = "client.fetch('/users/me').then(({ status }) => status)";
export const emailOfMe = "client.fetch('/users/me').then((response) => response.json()).then(({ email }) => email)";

let people = 0;

/** Signs a new person up, in this tab. */
export async function signUp(page: Page): Promise<string> {
  people += 1;
  const email = `person-${people}@example.com`;
  assert.equal(await page.evaluate(`client.signUp("${email}", "password").then(({ status }) => status)`), 201);
  return email;
}

export function all<T>(pages: readonly Page[], expression: string): Promise<T[]> {
  return Promise.all(pages.map(async (page) => page.evaluate<T>(expression)));
}

/** Resolves when this is so in the page. (Playwright's own way is eval, which our pages forbid.) */
export async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`(async () => { while (!(${condition})) await new Promise((go) => setTimeout(go, 20)); })()`);
}

/** Writes down in the page, as `changes`, what its client tells. */
export async function listen(page: Page): Promise<() => Promise<unknown>> {
  await page.evaluate("globalThis.changes = []; void client.onChange((...change) => changes.push(change))");
  return async () => page.evaluate("changes");
}

/** What a promise in the page comes to: its value, or of its error the message and the status of its cause. */
export function outcomeOf(promise: string): string {
  return `(${promise}).then((value) => ({ value }), ({ message, cause }) => ({ message, status: cause?.status }))`;
}

export function keysOf(requests: readonly Seen[]): Set<string | undefined> {
  return new Set(requests.map(({ key }) => key));
}

/** For the next use of the token in hand: as if it had expired. */
export const worn = { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } };

/** Before the page: hears nothing of other tabs, as if it were frozen, or had more to do than it can. */
export const deaf = "Object.defineProperty(BroadcastChannel.prototype, 'onmessage', { set() {} })";

/** Before the page: refreshes exactly half a minute early, and not up to fifteen seconds later. */
export const steady = "Math.random = () => 0";

/** Before the page: the browser forbids it. */
export const forbid = {
  storage: "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })",
  channel: "BroadcastChannel = function () { throw new DOMException('', 'SecurityError') }",
};
