import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

test("Swagger UI: Authorize with the bare token, try GET /users/me, see the account", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  // PUBLIC_URL is another origin than the page's here: "Try it out" must stay with the page's.
  const server = await startServer(t, { env: { LIMIT_API: "off" } });
  const made = await fetch(`${server.url}/users/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "alice@example.com", password: "password" }),
  });
  const { token } = (await made.json()) as { token: string };

  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const complaints = complaintsOf(page);
  await page.goto(`${server.url}/docs`);
  const places = page.getByRole("navigation", { name: "Main" }).getByRole("link");
  assert.ok((await places.allInnerTexts()).includes("Home"), "the one navigation is here too");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("input").fill(token);
  await dialog.getByRole("button", { name: "Apply credentials" }).click();
  await dialog.getByRole("button", { name: "Close" }).click();

  const operation = page
    .locator(".opblock", { has: page.locator('[data-path="/users/me"]') })
    .filter({ hasText: "Who am I?" });
  await operation.locator(".opblock-summary").click();
  const execute = operation.getByRole("button", { name: "Execute" });
  await execute.click();
  const answer = operation.locator(".live-responses-table");
  await answer.waitFor();
  assert.match(await answer.innerText(), /\b200\b[\s\S]*alice@example\.com/);
  assert.deepEqual(complaints, [], "no error and nothing that the content security policy refused");
});
