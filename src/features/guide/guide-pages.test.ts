import assert from "node:assert/strict";
import { test } from "node:test";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import { html, joined, prose } from "../../platform/http/web-pages.ts";
import { homePage } from "./home-page.ts";
import { problemListPage, problemPage } from "./problem-pages.ts";

const publicUrl = "https://auth.example.com";
const codes = Object.keys(problems) as ProblemCode[];

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
  const pages = [
    homePage({ mode: hostile, publicUrl: hostile, databaseUp: true }),
    problemPage("not-found", { publicUrl: hostile }),
  ];
  for (const page of pages) {
    assert.doesNotMatch(page, /<script|' onload='/);
    assert.match(page, /&lt;script&gt;alert\(/);
  }
});

test("every problem has a page that says all of its entry", () => {
  const list = problemListPage();
  for (const code of codes) {
    assert.ok(list.includes(`href="/errors/${code}"`), code);
    const { title, status, gate, detail, whatHappened, causes, cures } = problems[code];
    assert.ok(textOf(list).includes(detail), code);
    const page = problemPage(code, { publicUrl });
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
    homePage({ mode: "development", publicUrl, databaseUp: true }),
    problemListPage(),
    ...codes.map((code) => problemPage(code, { publicUrl })),
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
  assert.match(homePage({ mode: "production", publicUrl, databaseUp: false }), /Database away/);
  assert.doesNotMatch(homePage({ mode: "production", publicUrl, databaseUp: true }), /Database away/);
});
