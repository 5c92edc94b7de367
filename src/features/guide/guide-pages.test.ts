import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig, type EffectiveSetting } from "../../config.ts";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import { html, joined, prose } from "../../platform/http/web-pages.ts";
import { homePage } from "./home-page.ts";
import { readMadeExamples } from "./made-examples.ts";
import { exampleOf, type Guide } from "./problem-guide.ts";
import { problemListPage, problemPage } from "./problem-pages.ts";

const publicUrl = "https://auth.example.com";
const settings = settingsOfTest();
const guide: Guide = { config: { publicUrl, mode: "production", settings }, made: readMadeExamples() };
const development: Guide = { ...guide, config: { ...guide.config, mode: "development" } };
const codes = Object.keys(problems) as ProblemCode[];

function settingsOfTest(): readonly EffectiveSetting[] {
  const read = readConfig({ LIMIT_LOGIN_ACCOUNT: "7/15m", SECRET_KEY: "canary-0123456789-0123456789-0123456789" });
  assert.ok(read.ok);
  return read.config.settings;
}

/** Text of a page as a reader sees it. */
function textOf(page: string): string {
  const plain = page.replaceAll(/<[^>]+>/g, "");
  return plain
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

test("whatever is put into a page is text, not HTML", () => {
  const hostile = `<script>alert("x")</script>' onload='`;
  assert.equal(html`<b title="${hostile}">${hostile}</b>`.text.includes("<script"), false);
  assert.equal(html`${html`<i>a & b</i>`}${1}`.text, "<i>a & b</i>1");
  assert.equal(joined([html`<i>`, html`</i>`]).text, "<i></i>");
  assert.equal(prose("a `b < c` d").text, "a <code>b &lt; c</code> d");
  const hostileSettings = settings.map((setting) => ({ ...setting, value: hostile, meaning: hostile }));
  const pages = [
    homePage({ mode: hostile, publicUrl: hostile, databaseUp: true, hasInbox: true }),
    problemPage("token-expired", {
      ...development,
      config: { ...guide.config, mode: "development", settings: hostileSettings },
    }),
  ];
  for (const page of pages) {
    assert.doesNotMatch(page, /<script|' onload='/);
    assert.match(page, /&lt;script&gt;alert\(/);
  }
});

test("every problem has a page that says all of its entry", () => {
  const list = problemListPage(guide);
  for (const code of codes) {
    assert.ok(list.includes(`href="/errors/${code}"`), code);
    const { title, status, gate, detail, whatHappened, causes, cures } = problems[code];
    assert.ok(textOf(list).includes(detail), code);
    const page = problemPage(code, guide);
    assert.deepEqual(page.match(/aria-current="step">\w+/g), [`aria-current="step">${gate}`]);
    const text = textOf(page);
    for (const part of [title, String(status), whatHappened, ...causes, ...cures]) {
      assert.ok(text.includes(part.replaceAll("`", "")), `${code}: ${part}`);
    }
    assert.ok(text.includes(`${publicUrl}/errors/${code}`));
  }
});

test("pages have one heading of the first rank, no step is left out, and nothing is inline", () => {
  const pages = [
    homePage({ mode: "development", publicUrl, databaseUp: true, hasInbox: true }),
    problemListPage(guide),
    ...codes.map((code) => problemPage(code, guide)),
  ];
  for (const page of pages) {
    const ranks = [...page.matchAll(/<h([1-6])/g)].map(([, rank]) => Number(rank));
    assert.equal(ranks.filter((rank) => rank === 1).length, 1);
    ranks.forEach((rank, index) => assert.ok(rank <= (ranks[index - 1] ?? 0) + 1));
    assert.doesNotMatch(
      page,
      /<script|<style|\sstyle=|\son\w+=|https?:\/\/(?!auth\.example\.com)[^"<\s]*\.(js|css|png)/,
    );
  }
});

test("the home page tells a database that is away", () => {
  assert.match(homePage({ mode: "production", publicUrl, databaseUp: false, hasInbox: false }), /Database away/);
  assert.doesNotMatch(homePage({ mode: "production", publicUrl, databaseUp: true, hasInbox: true }), /Database away/);
});

test("the home page leads to the development inbox where there is one", () => {
  assert.match(homePage({ mode: "development", publicUrl, databaseUp: true, hasInbox: true }), /href="\/dev\/inbox"/);
  assert.doesNotMatch(homePage({ mode: "production", publicUrl, databaseUp: true, hasInbox: false }), /\/dev\//);
});

test("every problem has an example that a server really answered, of the members of the contract", () => {
  const own: Record<string, string[]> = {};
  const standard = ["type", "title", "status", "detail", "instance", "code", "request_id", "gate"];
  for (const code of codes) {
    const { made } = exampleOf(code, guide);
    assert.ok(made, `${code}: npm run reference has not made its example yet`);
    assert.equal(made.answer.status, problems[code].status);
    assert.equal(made.answer.body["code"], code);
    const added = Object.keys(made.answer.body).filter((name) => !standard.includes(name));
    if (added.length > 0) own[code] = added;
    const text = textOf(problemPage(code, guide));
    assert.ok(text.includes(`HTTP/1.1 ${made.answer.status} `), code);
    assert.ok(text.includes(JSON.stringify(made.answer.body["detail"])), code);
    const blocks = (problemPage(code, guide).match(/<pre[^]*?<\/pre>/g) ?? []).join("");
    assert.doesNotMatch(
      blocks,
      /localhost:8000/,
      `${code}: the page speaks of this server, not of the one that was asked`,
    );
  }
  assert.deepEqual(own, {
    "too-many-requests": ["limit", "violated-policies", "retry_after_seconds"],
    "refresh-refused": ["reason"],
    "permission-denied": ["missing_permission"],
    "validation-failed": ["errors"],
    "idempotency-key-reused": ["errors"],
    "link-refused": ["reason"],
    "rotation-pending": ["key_id", "signs_at"],
    "not-ready": ["failing"],
  });
});

test("in development a problem's page tells the settings in force; in production their names and meanings alone", () => {
  const page = textOf(problemPage("wrong-credentials", development));
  assert.match(page, /LIMIT_LOGIN_ACCOUNT/);
  assert.match(page, /7\/15m from the environment/);
  assert.match(page, /LIMIT_LOGIN_ACCOUNT=7\/15m npm start/);
  assert.match(textOf(problemPage("token-expired", development)), /15m the default/);
  const told = textOf(problemPage("wrong-credentials", guide));
  assert.match(told, /LIMIT_LOGIN_ACCOUNT/);
  assert.doesNotMatch(told, /7\/15m|npm start/);
});

/** Refusals of routes that only development has. */
const ofDevelopment: readonly string[] = ["not-this-machine", "mail-not-found"];

test("what needs a switch of development is not offered in production", () => {
  assert.match(problemPage("token-expired", development), /href="\/lab\?problem=token-expired"/);
  assert.match(problemPage("wrong-credentials", guide), /href="\/lab\?problem=wrong-credentials"/);
  for (const code of ["token-expired", "database-unavailable", "not-this-machine", "last-admin"] as const) {
    assert.doesNotMatch(problemPage(code, guide), /\/lab\?problem/, code);
  }
  assert.doesNotMatch(problemPage("last-admin", development), /\/lab\?problem/);
  for (const code of codes.filter(
    (code) => !ofDevelopment.includes(code) && exampleOf(code, guide).example.onlyInTest === undefined,
  )) {
    const curl = /<pre[^>]*data-copy><code>([^<]*)/.exec(problemPage(code, guide))?.[1];
    assert.ok(curl, code);
    assert.doesNotMatch(curl, /\/dev\/(?!zero)/, code);
  }
});
