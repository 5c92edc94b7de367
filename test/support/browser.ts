import { existsSync } from "node:fs";
import { after, type TestContext } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's. The shell is the same engine without a browser around it, which costs half of the processor's time. */
const programs = { shell: "/usr/bin/chromium-headless-shell", browser: "/usr/bin/chromium" } as const;
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** One for the whole file: starting it costs more than most tests do. */
let launched: Promise<Browser> | undefined;
after(async () => (await launched)?.close());

/**
 * Chromium without a trace of the tests before; `undefined` after the test was skipped because there is none.
 * REQUIRE_SERVICES=1 makes that a failure. `isWhole`: for what the shell does not do, as keeping pages for the back
 * button; elsewhere the whole browser stands in where there is no shell. A file has one or the other.
 */
export async function openBrowser(
  t: Pick<TestContext, "after" | "skip">,
  { isWhole = false }: { readonly isWhole?: boolean } = {},
): Promise<Browser | undefined> {
  const executablePath = !isWhole && existsSync(programs.shell) ? programs.shell : programs.browser;
  if (!existsSync(executablePath)) {
    if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`${executablePath} is missing`);
    t.skip("skipped: no chromium");
    return undefined;
  }
  // People's browsers keep pages for the back button; Playwright's would not.
  const ignoreDefaultArgs = ["--disable-back-forward-cache"];
  const browser = await (launched ??= chromium.launch({ executablePath, args: flags, ignoreDefaultArgs }));
  t.after(() => Promise.all(browser.contexts().map((context) => context.close())));
  return browser;
}

/** Collects whatever a page complains of: errors, and what its content security policy refused. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** Fills the page /sign-in and sends it. */
export async function signInAtPage(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}
