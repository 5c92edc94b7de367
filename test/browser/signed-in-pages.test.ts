import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { complaintsOf, openBrowser, signInAtPage } from "../support/browser.ts";
import { assertKeyboardReachesAll, axeViolations, endlessAnimations, sidewaysPixels } from "../support/page-manners.ts";
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
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({ colorScheme, bypassCSP: true, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(`${url}/account`);
    await signInAtPage(page, user.email, password);
    await page.waitForURL(`${url}/account`);
    await page.getByText("this one", { exact: true }).waitFor();
    await checkManners(page, colorScheme, "account");
    await page.goto(`${url}/console`);
    const sections = page.getByRole("navigation", { name: "Sections of the console" }).getByRole("link");
    await sections.first().waitFor();
    for (const name of await sections.allInnerTexts()) {
      await openSection(page, name);
      await checkManners(page, colorScheme, `console-${name.toLowerCase()}`);
    }
    await checkUserDialog(page, colorScheme);
    await checkPolicy(context, url);
    await context.close();
  }
});

type Account = { readonly user: { readonly email: string }; readonly password: string };

async function makeAccount(url: string, role: "user" | "admin"): Promise<Account> {
  const made = await fetch(`${url}/dev/accounts`, { method: "POST", headers: json, body: JSON.stringify({ role }) });
  return (await made.json()) as Account;
}

/** So that charts, lists and windows have something to show. */
async function makeTraffic(url: string): Promise<void> {
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

async function checkManners(page: Page, colorScheme: string, name: string): Promise<void> {
  const what = `${name} ${colorScheme}`;
  for (const [width, height] of [
    [1280, 900],
    [375, 800],
    [320, 640],
  ] as const) {
    await page.setViewportSize({ width, height });
    assert.equal(await sidewaysPixels(page), 0, `${what} scrolls sideways at ${width} px`);
    if (pictures && width !== 320)
      await page.screenshot({ path: `${pictures}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  }
  assert.deepEqual(await axeViolations(page), [], `${what}, narrow`);
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(await axeViolations(page), [], what);
  assert.equal(await endlessAnimations(page), 0, what);
  // The order of the stops is the same in both.
  if (colorScheme === "light") await assertKeyboardReachesAll(page);
}

/** By keyboard alone: the focus goes into the dialog, and comes back to where it was opened from. */
async function checkUserDialog(page: Page, colorScheme: string): Promise<void> {
  await openSection(page, "Users");
  const opener = page.getByRole("button", { name: /^Open lab-/ }).first();
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.locator(".user-dialog");
  await dialog.getByRole("button", { name: "Close" }).waitFor();
  assert.equal(await page.evaluate("document.activeElement.closest('dialog') !== null"), true);
  assert.deepEqual(await axeViolations(page), [], `user dialog ${colorScheme}`);
  for (const width of [1280, 375]) {
    await page.setViewportSize({ width, height: 900 });
    if (pictures) await page.screenshot({ path: `${pictures}/user-dialog-${width}-${colorScheme}.png` });
  }
  assert.equal(await sidewaysPixels(page), 0);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.match(
    String(await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")),
    /^Open lab-/,
  );
}

/** Under the page's own policy, which was set aside for axe. */
async function checkPolicy(signedIn: BrowserContext, url: string): Promise<void> {
  const context = await signedIn.browser()?.newContext({ storageState: await signedIn.storageState() });
  assert.ok(context);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  for (const path of ["/account", "/console"]) {
    await page.goto(url + path);
    await page.locator("h2").first().waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
  }
  assert.deepEqual(complaints, []);
  await context.close();
}
