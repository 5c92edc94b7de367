import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openBrowser, signInAtPage } from "../support/browser.ts";
import { assertAccessible } from "../support/page-manners.ts";
import { startServer } from "../support/server-process.ts";

const [email, password, next] = ["ada@example.com", "correct horse battery", "another battery horse"];
const json = { "content-type": "application/json" };

test("forgot the password: the link sets a new one, once, and opening it uses nothing up", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUp(url);
  await page.goto(`${url}/sign-in`);
  await page.getByRole("link", { name: "Forgot your password?" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Sign in by mail" }).count(), 0, "it is off");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await page.waitForURL(`${url}/mail/forgot`);
  await askForMail(page);
  const link = await linkTo(url, "/mail/reset");
  for (let visits = 0; visits < 2; visits += 1) {
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("button", { name: "Set the new password" }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the token is not in the address bar");
  }
  await page.getByRole("textbox", { name: "New password" }).fill("abc");
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.locator("[aria-invalid]").waitFor();
  await page.getByRole("textbox", { name: "New password" }).fill(next);
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByText("You have a new password").waitFor();
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await signInAtPage(page, email, next);
  await page.waitForURL(`${url}/account`);
  assert.equal(await loginStatus(url, password), 401);

  await page.goto(link);
  await page.getByRole("textbox", { name: "New password" }).fill("yet another horse");
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByText("This link has been used").waitFor();
  assert.deepEqual([await loginStatus(url, next), await loginStatus(url, "yet another horse")], [200, 401]);
});

test("forgot the password: the code does it, too; nobody is told whether an address has an account", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUp(url);
  await page.goto(`${url}/mail/forgot`);
  await page.getByLabel("E-mail address").fill("nobody@example.com");
  await page.getByRole("button", { name: "Send me a mail" }).click();
  await page.getByText("A mail is on its way, if there is an account").waitFor();
  await page.getByRole("button", { name: "Use another address" }).click();
  await askForMail(page);
  await page.getByLabel("Code from the mail").fill("AAAA-AAAA");
  await page.getByRole("textbox", { name: "New password" }).fill(next);
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByRole("alert").filter({ hasText: "code" }).first().waitFor();
  assert.equal(await loginStatus(url, password), 200, "a wrong code changes nothing");
  await page.getByLabel("Code from the mail").fill(await codeOf(url, "/mail/reset"));
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.getByText("You have a new password").waitFor();
  assert.deepEqual([await loginStatus(url, next), await loginStatus(url, password)], [200, 401]);
});

test("where addresses are confirmed, a sign-up waits for its mail; the code of it signs in", async (t) => {
  const opened = await open(t, { EMAIL_VERIFICATION: "required" });
  if (opened === undefined) return;
  const { page, url } = opened;
  await page.goto(`${url}/sign-up`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByText("A mail is on its way").waitFor();
  assert.equal(await loginStatus(url, password), 403);
  await page.getByLabel("Code from the mail").fill(await codeOf(url, "/mail/verify"));
  await page.getByRole("button", { name: "Use the code" }).click();
  await page.waitForURL(`${url}/account`);
  await page.getByText("E-mail address confirmed").waitFor();
  await page.getByText("confirmed", { exact: true }).waitFor();
});

test("an address is confirmed by its link; without the link the page says what to do", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { page, url } = opened;
  await page.goto(`${url}/sign-up`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.waitForURL(`${url}/account`);
  await page.getByText("not confirmed yet").waitFor();
  const link = await linkTo(url, "/mail/verify");
  await page.goto(link);
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await page.getByText("The address is confirmed").waitFor();
  await page.getByRole("link", { name: "Your account" }).click();
  await page.getByText("confirmed", { exact: true }).waitFor();
  await page.goto(link);
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await page.getByText("This link has been used").waitFor();
  await page.goto(`${url}/mail/verify`);
  await page.getByText("Open the link in the mail").waitFor();
});

test("another address: proved again, confirmed by code, and taken back by the mail to the old one", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUp(url);
  await confirm(url);
  await page.goto(`${url}/sign-in`);
  await signInAtPage(page, email, password);
  await page.waitForURL(`${url}/account`);
  const body = JSON.stringify({ advance_seconds: 1_000 });
  await fetch(`${url}/dev/clock`, { method: "POST", headers: json, body });
  await page.getByLabel("Another e-mail address").fill("new@example.com");
  await page.getByRole("button", { name: "Change address" }).click();
  const proof = page.getByRole("dialog", { name: "Your password, once more" });
  await proof.getByRole("textbox", { name: "Password" }).fill(password);
  await proof.getByRole("button", { name: "Go on" }).click();
  await page.getByText("A mail to new@example.com is on its way").waitFor();
  await page.getByLabel("Code from the mail").fill(await codeOf(url, "/mail/change-email"));
  await page.getByRole("button", { name: "Use the code" }).click();
  await page.getByText("Your account has the new address.").waitFor();
  assert.deepEqual([await loginStatus(url, password, "new@example.com"), await loginStatus(url, password)], [200, 401]);
  // In a tab of its own, as from a mail program: the page before may be on its way elsewhere.
  const tab = await page.context().newPage();
  await tab.goto(await linkTo(url, "/mail/undo-email-change"));
  await tab.getByRole("button", { name: "Take the old address back" }).click();
  await tab.getByText("Your old address counts again").waitFor();
  assert.equal(await loginStatus(url, password, "new@example.com"), 401);
});

test("a code from a mail signs in, a link does, and one locks everybody else out", async (t) => {
  const opened = await open(t, { SIGN_IN_BY_MAIL: "on" });
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUp(url);
  await confirm(url);
  await page.goto(`${url}/sign-in?returnTo=%2Fconsole`);
  await page.getByRole("link", { name: "Sign in by mail" }).click();
  await page.waitForURL(`${url}/sign-in/by-mail?returnTo=%2Fconsole`);
  await page.getByLabel("E-mail address").fill("no address");
  await page.getByRole("button", { name: "Send me a mail" }).click();
  await page.locator("[aria-invalid]").waitFor();
  await askForMail(page);
  await page.getByLabel("Code from the mail").fill("AAAA-AAAA");
  await page.getByRole("button", { name: "Use the code" }).click();
  await page.getByRole("alert").filter({ hasText: "code" }).first().waitFor();
  await page.getByLabel("Code from the mail").fill(await codeOf(url, "/mail/sign-in"));
  await page.getByRole("button", { name: "Use the code" }).click();
  await page.waitForURL(`${url}/console`);
  await page.getByText("The console is for administrators").waitFor();

  await fetch(`${url}/dev/inbox`, { method: "DELETE" });
  await fetch(`${url}/auth/magic`, { method: "POST", headers: json, body: JSON.stringify({ email }) });
  await page.goto(await linkTo(url, "/mail/sign-in"));
  await page.getByRole("button", { name: "Sign in here" }).click();
  await page.getByText("You are signed in").waitFor();
  await page.getByRole("link", { name: "Your account" }).click();
  await page.getByText("this one", { exact: true }).waitFor();
  await page.getByRole("textbox", { name: "Current password" }).fill(password);
  await page.getByRole("textbox", { name: "New password" }).fill(next);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Password changed;").waitFor();
  await page.goto(await linkTo(url, "/mail/not-me"));
  await page.getByRole("button", { name: "This was not me" }).click();
  await page.getByText("Your account is locked to everybody else").waitFor();
  assert.equal(await loginStatus(url, next), 401);
});

test("who reads German has the mail and the pages that it leads to in German, whatever the browser prefers", async (t) => {
  const opened = await open(t, {}, { locale: "de-AT", bypassCSP: true });
  if (opened === undefined) return;
  const { page, url } = opened;
  await signUp(url, { "accept-language": "de-AT,de;q=0.9" });
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("E-Mail-Adresse").fill(email);
  await page.getByRole("textbox", { name: "Passwort" }).fill(next);
  await page.getByRole("button", { name: "Anmelden", exact: true }).click();
  await page.getByText("Adresse oder Passwort stimmt nicht").waitFor();
  await page.getByRole("link", { name: "Passwort vergessen?" }).click();
  await page.getByRole("heading", { name: "Passwort vergessen?" }).waitFor();
  await page.getByLabel("E-Mail-Adresse").fill("keine");
  await page.getByRole("button", { name: "Schick mir eine Mail" }).click();
  await page.getByText("muss eine E-Mail-Adresse sein").waitFor();
  await page.getByLabel("E-Mail-Adresse").fill(email);
  await page.getByRole("button", { name: "Schick mir eine Mail" }).click();
  await page.getByText("Eine Mail ist unterwegs").waitFor();
  await page.getByLabel("Code aus der Mail").fill("AAAA-AAAA");
  await page.getByRole("textbox", { name: "Neues Passwort" }).fill(next);
  await page.getByRole("button", { name: "Neues Passwort setzen" }).click();
  await page.getByText("Der Code passt nicht").waitFor();
  await assertAccessible(page, "a refusal in German");

  const link = await linkTo(url, "/mail/reset");
  assert.equal(new URL(link).searchParams.get("l"), "de");
  const english = await page.context().browser()?.newPage({ locale: "en-US" });
  assert.ok(english);
  await english.goto(link);
  await english.getByRole("heading", { name: "Wähle ein neues Passwort" }).waitFor();
  assert.equal(await english.locator("main").getAttribute("lang"), "de");
  await english.getByRole("textbox", { name: "Neues Passwort" }).fill(next);
  await english.getByRole("button", { name: "Neues Passwort setzen" }).click();
  await english.getByText("Du hast ein neues Passwort").waitFor();
  assert.equal(await loginStatus(url, next), 200);
});

test("a password that must change is changed where one signs in", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { page, url } = opened;
  const { id } = await signUp(url);
  const admin = await fetch(`${url}/dev/accounts`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ role: "admin" }),
  });
  const { token } = (await admin.json()) as { token: string };
  const changed = await fetch(`${url}/admin/users/${id}`, {
    method: "PATCH",
    headers: { ...json, authorization: `Bearer ${token}` },
    body: JSON.stringify({ password_change_required: true }),
  });
  assert.equal(changed.status, 200);
  await page.goto(`${url}/sign-in`);
  await signInAtPage(page, email, password);
  await page.getByRole("textbox", { name: "New password" }).fill(next);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(`${url}/account`);
  assert.deepEqual([await loginStatus(url, next), await loginStatus(url, password)], [200, 401]);
});

type Opened = { readonly page: Page; readonly url: string };

async function open(
  t: Parameters<typeof openBrowser>[0],
  env: Record<string, string> = {},
  options: BrowserContextOptions = {},
): Promise<Opened | undefined> {
  const browser = await openBrowser(t);
  if (browser === undefined) return undefined;
  const { port } = await startServer(t, { env: { LIMIT_API: "off", ...env } });
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  return { page: await context.newPage(), url: `http://localhost:${port}` };
}

async function signUp(url: string, headers = {}): Promise<{ readonly id: number }> {
  const body = JSON.stringify({ email, password });
  const response = await fetch(`${url}/users/`, { method: "POST", headers: { ...json, ...headers }, body });
  assert.equal(response.status, 201);
  return { id: Number(response.headers.get("location")?.split("/").at(-1)) };
}

/** A password that somebody chose before the address was confirmed is not its owner's, and counts less. */
async function confirm(url: string): Promise<void> {
  const body = JSON.stringify({ token: new URL(await linkTo(url, "/mail/verify")).hash.slice(1) });
  assert.equal((await fetch(`${url}/auth/verify-email`, { method: "POST", headers: json, body })).status, 204);
}

async function askForMail(page: Page): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("button", { name: "Send me a mail" }).click();
  await page.getByText("A mail is on its way, if there is an account").waitFor();
}

async function loginStatus(url: string, secret: string, address = email): Promise<number> {
  const body = JSON.stringify({ email: address, password: secret });
  return (await fetch(`${url}/auth/login`, { method: "POST", headers: json, body })).status;
}

type Mail = { readonly text: string; readonly links: readonly string[] };

/** The newest mail whose link leads to a page, when it has come. */
async function mailWith(url: string, path: string): Promise<Mail & { readonly link: string }> {
  for (const signal = AbortSignal.timeout(30_000); ; signal.throwIfAborted()) {
    const { items } = (await (await fetch(`${url}/dev/inbox`)).json()) as { items: readonly Mail[] };
    for (const mail of items) {
      const link = mail.links.find((address) => new URL(address).pathname === path);
      if (link !== undefined) return { ...mail, link: url + link.slice(new URL(link).origin.length) };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function linkTo(url: string, path: string): Promise<string> {
  return (await mailWith(url, path)).link;
}

async function codeOf(url: string, path: string): Promise<string> {
  const code = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec((await mailWith(url, path)).text)?.[0];
  assert.ok(code);
  return code;
}
