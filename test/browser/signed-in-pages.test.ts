import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { complaintsOf, openBrowser, signInAtPage } from "../support/browser.ts";
import {
  assertAccessible,
  assertKeyboardReachesAll,
  assertLightLoad,
  endlessAnimations,
  sidewaysPixels,
  takePictures,
  watchLoad,
} from "../support/page-manners.ts";
import { startServer } from "../support/server-process.ts";

/** SCREENSHOTS=directory keeps a picture of each, for a person to look at. */
const pictures = process.env["SCREENSHOTS"];
const json = { "content-type": "application/json" };

test("what one sees when signed in is for everybody, too: both schemes, narrow screens, keyboard alone", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { port } = await startServer(t, { env: { LIMIT_API: "off", LIMIT_LOGIN_ADDRESS: "off" } });
  const url = `http://localhost:${port}`;
  const { user, password } = await makeAccount(url, "admin");
  await makeAccount(url, "user");
  await makeTraffic(url);
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${url}/account`);
  await signInAtPage(page, user.email, password);
  await page.waitForURL(`${url}/account`);
  await page.getByText("this one", { exact: true }).waitFor();
  await checkManners(page, "account");
  await page.goto(`${url}/console`);
  const sections = page.getByRole("navigation", { name: "Sections of the console" }).getByRole("link");
  await sections.first().waitFor();
  for (const name of await sections.allInnerTexts()) {
    await openSection(page, name);
    await checkManners(page, `console-${name.toLowerCase()}`);
  }
  await openSection(page, "Mail");
  await page.getByRole("button", { name: /^The life of.*carol/ }).click();
  await page.getByRole("heading", { name: "Its life" }).waitFor();
  await checkManners(page, "console-mail-life");
  await checkUserDialog(page);
  await checkLoad(context, url);
});

type Account = { readonly user: { readonly email: string }; readonly password: string };

async function makeAccount(url: string, role: "user" | "admin"): Promise<Account> {
  const made = await fetch(`${url}/dev/accounts`, { method: "POST", headers: json, body: JSON.stringify({ role }) });
  return (await made.json()) as Account;
}

/** So that charts, lists and windows have something to show. */
async function makeTraffic(url: string): Promise<void> {
  const entrant = { email: "carol@example.com", password: "correct horse battery" };
  await fetch(`${url}/users/`, { method: "POST", headers: json, body: JSON.stringify(entrant) });
  for (let count = 0; count < 7; count += 1) await fetch(`${url}/users/limited?client_id=ada`);
  await fetch(`${url}/users/me`);
  await fetch(`${url}/users/`, { method: "POST", headers: json, body: JSON.stringify({ email: "no address" }) });
}

async function openSection(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name, exact: true }).click();
  await page.locator("a[aria-current=page]", { hasText: name }).waitFor();
  await page.locator(".console :is(table, dl, h2)").first().waitFor();
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}

async function checkManners(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await sidewaysPixels(page), 0, `${name} scrolls sideways`);
  await inspect(page, name);
  assert.equal(await endlessAnimations(page), 0, name);
  await assertKeyboardReachesAll(page);
}

/** With a small screen and with a large one, by day and by night. */
async function inspect(page: Page, name: string): Promise<void> {
  for (const width of [375, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    assert.equal(await sidewaysPixels(page), 0, `${name} scrolls sideways at ${width} px`);
    await assertAccessible(page, `${name} at ${width} px`);
    if (pictures !== undefined) await takePictures(page, `${pictures}/${name}-${width}`);
  }
}

/** By keyboard alone: the focus goes into the dialog, and comes back to where it was opened from. */
async function checkUserDialog(page: Page): Promise<void> {
  await openSection(page, "Users");
  const opener = page.getByRole("button", { name: /^Open lab-/ }).first();
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.locator(".user-dialog");
  await dialog.getByRole("button", { name: "Close" }).waitFor();
  assert.equal(await page.evaluate("document.activeElement.closest('dialog') !== null"), true);
  await inspect(page, "user-dialog");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  const focused = await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent");
  assert.match(String(focused), /^Open lab-/);
}

/** Under the page's own policy, which was set aside for axe, and all that it loads. */
async function checkLoad(signedIn: BrowserContext, url: string): Promise<void> {
  const context = await signedIn.browser()?.newContext({ storageState: await signedIn.storageState() });
  assert.ok(context);
  for (const path of ["/account", "/console"]) {
    const tab = await context.newPage();
    const complaints = complaintsOf(tab);
    const load = watchLoad(tab);
    await tab.goto(url + path);
    await tab.locator("h2").first().waitFor();
    await tab.locator(".skeleton").first().waitFor({ state: "detached" });
    const loaded = await load();
    assertLightLoad(loaded, path);
    assert.deepEqual(loaded.origins, [url]);
    assert.deepEqual(complaints, [], path);
    await tab.close();
  }
  await context.close();
}
