import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

const run = promisify(execFile);

/** Card → the gate that refuses; undefined for what passes all. */
const decided: Readonly<Record<number, string | undefined>> = {
  200: undefined,
  201: undefined,
  204: undefined,
  401: "authenticate",
  403: "authorize",
  404: "handle",
  409: "handle",
  422: "validate",
  429: "limit",
  503: "depend",
  400: "validate",
  405: "route",
  413: "validate",
  415: "validate",
};

test("each card of the Lab gets its status from this very server, and the gates tell where it stopped", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  const complaints = complaintsOf(page);
  await page.locator("summary", { hasText: "More" }).click();
  for (const [status, gate] of Object.entries(decided)) {
    await page.locator(".lab-card", { hasText: status }).click();
    await send(page);
    await page.locator(".answer-status .badge", { hasText: status }).waitFor();
    const outcome = await page.locator(".track-outcome").innerText();
    assert.equal(outcome, gate ? `${status}: refused at the gate ${gate}.` : `${status}: it passed all seven gates.`);
    const states = await page.locator(".track-state").allInnerTexts();
    assert.equal(states.filter((state) => state === "refused").length, gate ? 1 : 0, status);
    if (status === "503") await page.getByRole("button", { name: "Bring it back now" }).click();
  }
  assert.equal(
    await page.locator("#history-title ~ ol > li").count(),
    19,
    "fourteen cards, the sixth of one sent six times",
  );
  // What the server refuses, a browser complains of by itself; there is nothing else.
  assert.deepEqual(
    complaints.filter((text) => !/the server responded with a status of 4\d\d|503/.test(text)),
    [],
  );
});

test("the copied curl really runs and gets the same answer", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  for (const status of ["200", "403", "409"]) {
    await page.locator(".lab-card", { hasText: status }).click();
    await send(page);
    await page.locator(".answer-status .badge", { hasText: status }).waitFor();
    const curl = await page.locator(".as-code").innerText();
    const { stdout } = await run("bash", ["-c", `${curl} -s`]);
    assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `), curl);
    assert.match(stdout, status === "200" ? /"email":"lab-/ : /"code":"(permission-denied|email-taken)"/);
  }
});

test("a request can be edited, sent again and taken back; what is no header is said so before it is sent", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  await page.getByLabel("Path").fill("/nowhere");
  await page.getByLabel("Path").press("Enter");
  await page.locator(".answer-status .badge", { hasText: "404" }).waitFor();
  await page.getByLabel("Headers").fill("what is this");
  await send(page);
  await page.getByText("“what is this” is no header").waitFor();
  await page.getByLabel("Headers").fill("");
  await page.getByLabel("Path").fill("//evil.test/");
  await send(page);
  await page.getByText("A path of this server, beginning with /.").waitFor();
  const history = page.locator("#history-title ~ ol > li");
  assert.equal(await history.count(), 1, "neither was sent");
  await history.first().getByRole("button", { name: "Edit" }).click();
  assert.equal(await page.getByLabel("Path").inputValue(), "/nowhere");
  await history.first().getByRole("button", { name: "Send again" }).click();
  await history.nth(1).waitFor();
});

test("a changed token is refused, and an expired one too; both say why", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  await page.getByRole("button", { name: "Take that of a user" }).click();
  await page.getByText("the session; when it ends, so does the token").waitFor();
  const genuine = await page.getByLabel("Access token").inputValue();
  const sendToken = async (code: string): Promise<void> => {
    await page.getByRole("button", { name: "Send it: GET /users/me" }).click();
    await page.locator(".track-saw", { hasText: code }).waitFor();
  };
  for (const change of ["Make me an administrator", "Sign with nothing", "Say HS256", "Change one letter"]) {
    await page.getByLabel("Access token").fill(genuine);
    await page.getByRole("button", { name: change }).click();
    assert.notEqual(await page.getByLabel("Access token").inputValue(), genuine);
    await sendToken("token-invalid");
  }
  await page.getByLabel("Access token").fill(genuine);
  await page.getByRole("button", { name: "Let 15 minutes pass" }).click();
  await page.getByText("The server's clock is 16 minutes ahead").waitFor();
  await sendToken("token-expired");
  await page.getByRole("button", { name: "Back to real time" }).click();
});

test("the window shows what sliding does and a fixed one does not", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  const [sliding, fixed] = [page.locator(".time-line").nth(0), page.locator(".time-line").nth(1)];
  await page.getByRole("button", { name: "Fire 5, wait" }).click();
  await fixed.getByText("At most 10 accepted in any 60 seconds: more than the 5 that were promised.").waitFor();
  assert.match(await sliding.innerText(), /At most 5 accepted in any 60 seconds\./);
  assert.equal(await sliding.locator(".shot").count(), 10);
  assert.equal(await sliding.locator(".shot.refused").count(), 5);
  assert.equal(await fixed.locator(".shot.refused").count(), 0);
  await page.locator(".header-list dt", { hasText: "retry-after" }).last().waitFor();
});

test("the example of a problem opens in the Lab, with what leads to it", async (t) => {
  const page = await openLab(t);
  if (page === undefined) return;
  for (const code of ["token-expired", "email-taken", "last-admin"]) {
    await page.goto(new URL(`/lab?problem=${code}`, page.url()).href);
    const send = page.getByRole("button", { name: "Send", exact: true });
    await send.click();
    if (code === "last-admin") {
      await page.getByText("200: it passed all seven gates.").waitFor(); // The Lab cannot send it: it shows the first card.
      continue;
    }
    await page.locator(".track-saw", { hasText: code }).waitFor();
  }
});

test("in production the Lab has no switches, and sends as nobody", async (t) => {
  const page = await openLab(t, {
    TOLLGATE_MODE: "production",
    SECRET_KEY: "a".repeat(64),
    PUBLIC_URL: "http://localhost:8000",
    TRUSTED_PROXIES: "loopback",
    ARGON2_MEMORY_KIB: "19456",
    ARGON2_PASSES: "2",
  });
  if (page === undefined) return;
  assert.equal(await page.locator(".lab-card", { hasText: "503" }).isDisabled(), true);
  await page.locator(".lab-card", { hasText: "401" }).click();
  await send(page);
  await page.getByText("401: refused at the gate authenticate.").waitFor();
  assert.equal(await page.getByText("an administrator", { exact: true }).count(), 0);
});

async function openLab(
  t: Parameters<typeof openBrowser>[0],
  env: Record<string, string> = {},
): Promise<Page | undefined> {
  const browser = await openBrowser(t);
  if (browser === undefined) return undefined;
  const { port } = await startServer(t, { env: { LIMIT_API: "off", LIMIT_SIGN_UP: "off", ...env } });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(`http://localhost:${port}/lab`);
  // The first card is in the form as soon as its account is made.
  await page.getByRole("button", { name: "Send", exact: true }).waitFor();
  await page.locator(".lab-card[aria-pressed=true]").waitFor();
  return page;
}

async function send(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Send", exact: true }).click();
}
