import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { freePort, runTollgate, startServer } from "../support/server-process.ts";

/** How far things moved after they were first shown; 0 is none. */
const movedBy = `new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) sum += value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
})`;

async function textOfSetting(page: Page, name: string): Promise<string> {
  return (await page.locator(`[data-setting="${name}"]`).innerText()).replaceAll(/\s+/g, " ");
}

test("the curl command is copied by a button that moves nothing when it comes", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { port } = await startServer(t);
  const origin = `http://localhost:${port}`;
  for (const width of [375, 1280]) {
    const context = await browser.newContext({ viewport: { width, height: 4000 } });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${origin}/errors/token-expired`);
    const block = page.getByRole("group", { name: "Example as a curl command" });
    const button = page.locator(".copyable", { has: block }).getByRole("button");
    await button.waitFor();
    assert.equal(await page.evaluate(movedBy), 0, `at ${width} px`);
    await button.click();
    await button.filter({ hasText: "Copied" }).waitFor();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    assert.equal(copied, await block.innerText());
    assert.match(copied, /^TOKEN=.*\ncurl -s /);
    assert.match(await textOfSetting(page, "ACCESS_TOKEN_LIFETIME"), /15m the default/);
    assert.equal(await page.getByRole("button", { name: "Show what is set here" }).count(), 0, "it is told already");
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

test("in production an administrator asks what is set, and nobody else is told", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const env = {
    TOLLGATE_MODE: "production",
    PORT: String(port),
    PUBLIC_URL: origin,
    TRUSTED_PROXIES: "192.0.2.1",
    SECRET_KEY: "k".repeat(48),
    LIMIT_LOGIN_ACCOUNT: "7/15m",
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  };
  const { dataDirectory } = await startServer(t, { env });
  const made = await runTollgate(["admin", "create", "admin@example.com"], {
    ...env,
    DATABASE_URL: `sqlite:${dataDirectory}/tollgate.db`,
  });
  const password = made.stdout.trim().split("\n").at(-1) ?? "";
  const context = await browser.newContext();
  const stranger = await openSettings(context, origin);
  await stranger.getByRole("link", { name: "Sign in as an administrator" }).waitFor();
  assert.equal(
    await stranger.getByRole("link", { name: "Sign in as an administrator" }).getAttribute("href"),
    "/sign-in?returnTo=%2Ferrors%2Fwrong-credentials",
  );
  assert.doesNotMatch(await stranger.content(), /7\/15m/);

  const signIn = `import("/client.js").then(async ({ createClient }) =>
    (await createClient().signIn("admin@example.com", ${JSON.stringify(password)})).status)`;
  assert.equal(await stranger.evaluate(signIn), 200);
  const administrator = await openSettings(context, origin);
  await administrator.locator(".in-force").waitFor();
  assert.match(await textOfSetting(administrator, "LIMIT_LOGIN_ACCOUNT"), /7\/15m from the environment/);
  await context.close();
});

async function openSettings(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/errors/wrong-credentials`);
  assert.doesNotMatch(await page.content(), /7\/15m/);
  await page.getByRole("button", { name: "Show what is set here" }).click();
  return page;
}
