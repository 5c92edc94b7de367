import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { complaintsOf, openBrowser, signInAtPage } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

test("an administrator finds an account, disables it and takes that back, and sees refusals as they happen", async (t) => {
  const opened = await openConsole(t, "admin");
  if (opened === undefined) return;
  const { page, url, complaints } = opened;
  await page.getByRole("heading", { name: "Now" }).waitFor();
  assert.match(await page.locator(".totals").innerText(), /2\s+Users/);

  await openView(page, "Users");
  await page.getByLabel("Search").fill("nobody-has-this");
  await page.getByText("No account matches.").waitFor();
  await page.getByLabel("Search").fill("lab");
  await page
    .getByRole("button", { name: /^Open lab-/ })
    .first()
    .waitFor();
  await page.getByLabel("Role").selectOption("user");
  const user = page.getByRole("button", { name: /^Open lab-/ });
  await page.locator("tbody tr").nth(1).waitFor({ state: "detached" });
  await user.click();
  const dialog = page.locator(".user-dialog");
  await dialog.getByRole("button", { name: "Disable" }).click();
  await dialog.getByRole("button", { name: "Enable" }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.locator("tbody .badge.bad", { hasText: "disabled" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator("tbody .badge", { hasText: "enabled" }).waitFor();

  await openView(page, "Decisions");
  await page.getByText("Refusals appear as they happen.").waitFor();
  const refused = await fetch(`${url}/nowhere/at/all`);
  const requestId = refused.headers.get("x-request-id") ?? "";
  await page.getByText("GET /nowhere/at/all").waitFor();
  await page.getByLabel("Request id").fill(requestId);
  await page.getByRole("button", { name: "Why?" }).click();
  const way = page.getByRole("region", { name: "Its way through the gates" });
  await way.getByRole("link", { name: "not-found" }).waitFor();
  assert.deepEqual(complaints(), []);
});

test("a chart draws the counters as lines, and has the same figures as a table", async (t) => {
  const opened = await openConsole(t, "admin");
  if (opened === undefined) return;
  const { page, url, complaints } = opened;
  for (let count = 0; count < 3; count += 1) assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  await page.reload();
  await page.getByRole("button", { name: "Last day" }).click();
  const chart = page.getByRole("region", { name: "Requests and refusals" });
  await chart.locator("canvas").waitFor();
  await chart.getByText("Requests and refusals, as a table").click();
  const row = chart.locator("tbody tr").last();
  const [requests, refused] = (await row.locator("td").allInnerTexts()).map(Number);
  assert.ok(refused !== undefined && refused >= 3, `${refused} refused`);
  assert.ok(requests !== undefined && requests > refused, `${requests} requests`);
  const colours: unknown = await page.evaluate(
    `(() => {
      const canvas = document.querySelector(".plot canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`,
  );
  assert.ok(Number(colours) > 3, `${String(colours)} colours are drawn`);
  assert.deepEqual(complaints(), []);
});

test("limits, keys, settings and health show what is really there", async (t) => {
  const opened = await openConsole(t, "admin", { LIMIT_LIMITED: "3/60s" });
  if (opened === undefined) return;
  const { page, url, complaints } = opened;
  for (let count = 0; count < 4; count += 1) await fetch(`${url}/users/limited?client_id=ada`);
  await openView(page, "Limits");
  await page.getByRole("button", { name: "limited" }).click();
  await page.getByText("3 of 3").waitFor();
  await page.getByRole("button", { name: "ada" }).click();
  await page.getByRole("heading", { name: "The window of ada" }).waitFor();
  await page.locator(".key-window circle").nth(2).waitFor();

  await openView(page, "Keys");
  await page.getByText("signs", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await page.getByText("published, does not sign yet").waitFor();

  await openView(page, "Settings");
  await page.getByLabel("Filter").fill("limit_limited");
  await page.locator("tbody tr").nth(1).waitFor({ state: "detached" });
  assert.match(await page.locator("tbody tr").innerText(), /LIMIT_LIMITED[\s\S]*3\/60s[\s\S]*environment/);
  await page.getByLabel("Filter").fill("secret_key");
  assert.doesNotMatch(await page.locator("tbody").innerText(), /[A-Za-z0-9_-]{40}/, "a secret is hidden");

  await openView(page, "Health");
  await page.getByText("Ready for requests").waitFor();
  assert.deepEqual(complaints(), []);
});

test("a mail's life is told step by step, and nothing that is in it", async (t) => {
  const opened = await openConsole(t, "admin");
  if (opened === undefined) return;
  const { page, url, complaints } = opened;
  // Signing in here was told by mail.
  const none = { json: { items: [], next_cursor: null } };
  await page.route("**/admin/mail?*", (route) => route.fulfill(none), { times: 1 });
  await openView(page, "Mail");
  await page.getByText("No mail yet.").waitFor();
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ email: "carol@example.com", password: "correct horse battery" });
  assert.equal((await fetch(`${url}/users/`, { method: "POST", headers, body })).status, 201);
  const link = await linkInMailTo(url, "carol@example.com");
  await fetch(link);
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByRole("button", { name: "The life of: confirm the address, to carol@example.com" }).click();
  const life = page.getByRole("region", { name: "Its life" });
  // It is noted after the answer.
  for (const signal = AbortSignal.timeout(30_000); !(await life.innerText()).includes("probably a scanner");) {
    signal.throwIfAborted();
    await page.getByRole("button", { name: "Refresh" }).click();
  }
  const proof = JSON.stringify({ token: new URL(link).hash.slice(1) });
  await fetch(`${url}/auth/verify-email`, { method: "POST", headers, body: proof });
  await page.getByRole("button", { name: "Refresh" }).click();
  await life.getByText("Link: used").waitFor();
  assert.match(
    await life.innerText(),
    /Link: used[\s\S]*written into the outbox[\s\S]*handed to the relay[\s\S]*its page was opened[\s\S]*its button was pressed/,
  );
  const token = new URL(link).hash.slice(1);
  assert.ok(token.startsWith("tgm_") && !(await page.content()).includes(token));

  await page.getByLabel("State").selectOption("refused");
  await page.getByText("No mail matches.").waitFor();
  await page.getByLabel("State").selectOption("delivered");
  await page.getByLabel("To", { exact: true }).fill("CAROL@");
  await page.getByRole("button", { name: /to carol@example\.com/ }).waitFor();
  await page.getByLabel("To", { exact: true }).fill("dave@");
  await page.getByText("No mail matches.").waitFor();
  assert.deepEqual(complaints(), []);
  await page.route("**/admin/mail?*", (route) => route.abort());
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("The server did not answer").waitFor();
});

async function linkInMailTo(url: string, recipient: string): Promise<string> {
  for (const signal = AbortSignal.timeout(30_000); ; signal.throwIfAborted()) {
    const { items } = (await (await fetch(`${url}/dev/inbox`)).json()) as { items: { to: string; links: string[] }[] };
    const link = items.find(({ to }) => to === recipient)?.links.find((address) => address.includes("#tgm_"));
    if (link !== undefined) return url + link.slice(new URL(link).origin.length);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("who is no administrator is told so, and how to become one", async (t) => {
  const opened = await openConsole(t, "user");
  if (opened === undefined) return;
  const { page } = opened;
  await page.getByText("The console is for administrators").waitFor();
  assert.match(await page.locator(".notice code").innerText(), /admin create lab-.*@example\.com/);
  assert.equal(await page.getByRole("navigation", { name: "Sections of the console" }).count(), 0);
});

type Opened = { readonly page: Page; readonly url: string; readonly complaints: () => readonly string[] };

/** The console, signed in at the page that leads back to it. There is one other account. */
async function openConsole(
  t: Parameters<typeof openBrowser>[0],
  role: "user" | "admin",
  env: Record<string, string> = {},
): Promise<Opened | undefined> {
  const browser = await openBrowser(t);
  if (browser === undefined) return undefined;
  const { port } = await startServer(t, { env: { LIMIT_API: "off", ...env } });
  const url = `http://localhost:${port}`;
  const make = async (wish: string): Promise<{ user: { email: string }; password: string }> => {
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${url}/dev/accounts`, { method: "POST", headers, body: JSON.stringify({ role: wish }) });
    return (await made.json()) as { user: { email: string }; password: string };
  };
  await make("user");
  const { user, password } = await make(role);
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const complaints = complaintsOf(page);
  await page.goto(`${url}/console`);
  await signInAtPage(page, user.email, password);
  await page.waitForURL(`${url}/console`);
  return { page, url, complaints: () => complaints.filter((text) => !/status of 401/.test(text)) };
}

async function openView(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Sections of the console" }).getByRole("link", { name }).click();
}
