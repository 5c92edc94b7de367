import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { freePort, runTollgate, startServer } from "../support/server-process.ts";

/** What moved after it was first shown, and by how much. */
const moves = `new Promise((resolve) => {
  const moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      moved.push(value + " " + sources.map(({ node }) => (node?.outerHTML ?? node?.data)?.slice(0, 200)).join(" "));
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(moved), 0));
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
    assert.deepEqual(await page.evaluate(moves), [], `at ${width} px`);
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

test("nothing moves while a page comes in pieces, nor when its script comes late", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const { url } = await startServer(t);
  const origin = await startSlowLine(t, url);
  for (const width of [375, 1280]) {
    const context = await browser.newContext({ viewport: { width, height: 4000 } });
    const page = await context.newPage();
    const shown = Promise.withResolvers<void>();
    await page.route("**/*.js", async (route) => {
      await shown.promise;
      await route.continue();
    });
    await page.goto(`${origin}/errors/token-expired`, { waitUntil: "commit" });
    await page.waitForFunction("performance.getEntriesByName('first-contentful-paint').length > 0");
    assert.equal(await page.locator(".copyable").count(), 0, "what is shown first is without the script");
    shown.resolve();
    await page.locator(".copyable").getByRole("button").first().waitFor();
    assert.deepEqual(await page.evaluate(moves), [], `at ${width} px`);
    await context.close();
  }
});

/** Hands on what the server at `url` answers, a page piece by piece: there is time to draw after each. */
async function startSlowLine(t: TestContext, url: string): Promise<string> {
  const line = createServer((request, reply) => void handOn(request, reply)).listen(0, "127.0.0.1");
  t.after(() => void line.close());
  await once(line, "listening");
  return `http://127.0.0.1:${(line.address() as AddressInfo).port}`;

  async function handOn({ url: path, headers }: IncomingMessage, reply: ServerResponse): Promise<void> {
    const answer = await fetch(`${url}${path}`, { headers: { accept: headers.accept ?? "*/*" } });
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get("content-type") ?? "";
    reply.setHeader("content-type", type);
    const isPage = type.startsWith("text/html");
    for (const piece of isPage ? body.toString().split(/(?=<(?:a|li|small|h3|pre|button)\b)/) : [body]) {
      reply.write(piece);
      await sleep(isPage ? 20 : 0);
    }
    reply.end();
  }
}

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
