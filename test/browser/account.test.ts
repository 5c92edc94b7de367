import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { complaintsOf, openBrowser, signInAtPage } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

const [email, password] = ["ada@example.com", "correct horse battery"];

test("sign up, be signed in, rename and take it back, change the password, sign out", async (t) => {
  const opened = await open(t, "/sign-up");
  if (opened === undefined) return;
  const { page, url } = opened;
  const complaints = complaintsOf(page);
  await page.getByText("At least 6 characters").waitFor();
  await page.getByLabel("E-mail address").fill("ada");
  await page.getByRole("textbox", { name: "Password" }).fill("abc");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByText("must be an e-mail address").waitFor();
  assert.equal(await page.getByLabel("E-mail address").getAttribute("aria-invalid"), "true");
  assert.equal(await page.evaluate("document.activeElement.name"), "email", "the first wrong field has the focus");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/account`);

  await page.getByLabel("Display name").fill("Ada");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("You are Ada now.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("You have no display name now.").waitFor();
  assert.equal(await page.getByLabel("Display name").inputValue(), "");

  await page.getByRole("textbox", { name: "Current password" }).fill("wrong");
  await page.getByRole("textbox", { name: "New password" }).fill("another battery horse");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("alert").filter({ hasText: "password" }).first().waitFor();
  await page.getByRole("textbox", { name: "Current password" }).fill(password);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Password changed").waitFor();

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(/\/sign-in\?returnTo=%2Faccount$/);
  await signInAtPage(page, email, password);
  await page
    .getByRole("alert")
    .filter({ hasText: /password/i })
    .first()
    .waitFor();
  await signInAtPage(page, email, "another battery horse");
  await page.waitForURL(`${url}/account`);
  assert.deepEqual(
    complaints.filter((text) => !/status of (401|403|422)/.test(text)),
    [],
  );
});

test("tabs share one session: who signs out in one is signed out in all", async (t) => {
  const opened = await open(t, "/sign-up");
  if (opened === undefined) return;
  const { page, url, context } = opened;
  await signUpAtPage(page, url);
  const other = await context.newPage();
  await other.goto(`${url}/account`);
  await other.getByRole("heading", { name: "Profile" }).waitFor();
  await other.getByText("this one", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await other.waitForURL(/\/sign-in/);
});

test("another browser's session is listed in words, and can be ended from here", async (t) => {
  const opened = await open(t, "/sign-up");
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUpAtPage(page, url);
  const headers = { "content-type": "application/json", "user-agent": "curl/8.5.0" };
  const signedIn = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers,
    body: JSON.stringify({ email, password }),
  });
  const { token } = (await signedIn.json()) as { token: string };
  await page.reload();
  await page.getByText("curl", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Sign out there" }).click();
  await page.getByText("curl", { exact: true }).waitFor({ state: "detached" });
  const after = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(after.status, 401);
});

test("deleting the account is asked for, needs a recent proof, and is final", async (t) => {
  const opened = await open(t, "/sign-up");
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUpAtPage(page, url);
  const body = JSON.stringify({ advance_seconds: 1_000 });
  await fetch(`${url}/dev/clock`, { method: "POST", headers: { "content-type": "application/json" }, body });
  await page.getByRole("button", { name: "Delete my account" }).click();
  const sure = page.getByRole("dialog", { name: "Delete your account?" });
  await sure.waitFor();
  await page.keyboard.press("Escape");
  await sure.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete my account" }).click();
  await sure.getByRole("button", { name: "Delete my account" }).click();
  const proof = page.getByRole("dialog", { name: "Your password, once more" });
  await proof.getByRole("textbox", { name: "Password" }).fill(password);
  await proof.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL(`${url}/`);
  const login = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  };
  assert.equal((await fetch(`${url}/auth/login`, login)).status, 401);
});

test("a sign-in leads back to a path of our own and to no other place; a 429 counts down", async (t) => {
  const opened = await open(t, "/sign-up", { LIMIT_LOGIN_ADDRESS: "4/60s" });
  if (opened === undefined) return;
  const { page, url, context } = opened;
  await signUpAtPage(page, url);
  await context.clearCookies();
  for (const [returnTo, place] of [
    ["/learn", "/learn"],
    ["//evil.test/", "/account"],
    ["https://evil.test/", "/account"],
  ] as const) {
    const fresh = await context.browser()?.newContext();
    const tab = await fresh?.newPage();
    if (tab === undefined) throw new Error("no tab");
    await tab.goto(`${url}/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
    await signInAtPage(tab, email, password);
    await tab.waitForURL(url + place);
    await fresh?.close();
  }
  const tab = await (await context.browser()?.newContext())?.newPage();
  if (tab === undefined) throw new Error("no tab");
  await tab.goto(`${url}/sign-in`);
  await signInAtPage(tab, email, "wrong password");
  await tab
    .getByRole("alert")
    .filter({ hasText: /password/i })
    .first()
    .waitFor();
  await signInAtPage(tab, email, password);
  await tab
    .getByText(/You can try again in \d+ seconds\./)
    .first()
    .waitFor();
  await tab.locator("button:disabled", { hasText: "Sign in" }).waitFor();
});

type Opened = { readonly page: Page; readonly url: string; readonly context: BrowserContext };

async function open(
  t: Parameters<typeof openBrowser>[0],
  path: string,
  env: Record<string, string> = {},
): Promise<Opened | undefined> {
  const browser = await openBrowser(t);
  if (browser === undefined) return undefined;
  const { port } = await startServer(t, { env: { LIMIT_API: "off", ...env } });
  const url = `http://localhost:${port}`;
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  const page = await context.newPage();
  await page.goto(url + path);
  return { page, url, context };
}

async function signUpAtPage(page: Page, url: string): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.waitForURL(`${url}/account`);
  await page.getByRole("heading", { name: "Profile" }).waitFor();
}
