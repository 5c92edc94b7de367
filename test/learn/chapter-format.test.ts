import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChapterError, parseChapter, type RunPart } from "../../web/learn/chapter-format.ts";
import { differences, fillIn, namesIn, valuesOf, type ChapterAnswer } from "../../web/learn/chapter-run.ts";

const front = "---\ntitle: A title: with a colon\nsummary: One sentence.\nminutes: 15\n---\n";

function step(request: string, expected = "200", attributes = ""): string {
  return `\`\`\`http run${attributes}\n${request}\n\`\`\`\n\`\`\`expect\n${expected}\n\`\`\`\n`;
}

function onlyStep(text: string): RunPart {
  const [part] = parseChapter(front + text).parts;
  assert.ok(part?.kind === "run");
  return part;
}

function answer(body: unknown, status = 200, headers: Record<string, string> = {}): ChapterAnswer {
  return { status, body, header: (name) => headers[name] };
}

describe("parseChapter", () => {
  it("reads front matter, Markdown and steps, in order", () => {
    const source = `${front}\n# One\n\ntext\n\n${step("GET /users/me", "200", " as=user")}\nbetween\n\n${step(
      'POST /users/\nContent-Type: application/json\nX-Two: a: b\n\n{"a":1,\n"b":2}',
      '201\nLocation: /users/…\n{"token": "…"}',
      " name=made times=3",
    )}`;
    assert.deepEqual(parseChapter(source), {
      title: "A title: with a colon",
      summary: "One sentence.",
      minutes: 15,
      parts: [
        { kind: "markdown", text: "# One\n\ntext" },
        {
          kind: "run",
          id: "run-1",
          as: "user",
          times: 1,
          request: { method: "GET", path: "/users/me", headers: {} },
          expect: { status: 200, headers: {}, members: {} },
        },
        { kind: "markdown", text: "between" },
        {
          kind: "run",
          id: "run-2",
          name: "made",
          as: "nobody",
          times: 3,
          request: {
            method: "POST",
            path: "/users/",
            headers: { "Content-Type": "application/json", "X-Two": "a: b" },
            body: '{"a":1,\n"b":2}',
          },
          expect: { status: 201, headers: { location: "/users/…" }, members: { token: "…" } },
        },
      ],
    });
  });

  it("leaves other fenced blocks alone, also what stands in them", () => {
    const text = "````md\n```http run\nGET /\n```\n````\n\n```ts\nconst a = 1;\n```";
    assert.deepEqual(parseChapter(front + text).parts, [{ kind: "markdown", text }]);
  });

  it("reads Windows' line ends", () => {
    const chapter = parseChapter((front + step("GET /")).replaceAll("\n", "\r\n"));
    assert.equal(chapter.parts.length, 1);
    assert.equal(chapter.title, "A title: with a colon");
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["no front matter", "# One", /^line 1: .*front matter/],
    ["front matter without an end", "---\ntitle: a\n", /^line 1: .*front matter/],
    ["an unknown member", front.replace("minutes", "hours"), /^line 4: front matter has/],
    ["a member twice", front.replace("minutes: 15", "title: b"), /^line 4: front matter has/],
    ["minutes that are no number", front.replace("15", "soon"), /minutes/],
    ["a block without an end", `${front}\`\`\`http run\nGET /\n`, /^line 6: this fenced block has no end/],
    ["a run without its expectation", `${front}\`\`\`http run\nGET /\n\`\`\`\ntext\n`, /^line 6: after an http run/],
    [
      "an empty line between",
      `${front}\`\`\`http run\nGET /\n\`\`\`\n\n\`\`\`expect\n200\n\`\`\`\n`,
      /^line 6: after an/,
    ],
    ["an expectation alone", `${front}\`\`\`expect\n200\n\`\`\`\n`, /^line 6: an expect block stands/],
    ["an unknown attribute", front + step("GET /", "200", " how=often"), /^line 6: how=often/],
    ["an attribute twice", front + step("GET /", "200", " as=user as=user"), /^line 6: as=user/],
    ["an unknown sender", front + step("GET /", "200", " as=root"), /^line 6: as= is one of nobody/],
    ["times without end", front + step("GET /", "200", " times=21"), /^line 6: times= is a whole number/],
    ["a reserved name", front + step("GET /", "200", " name=user"), /^line 6: name=user is taken/],
    ["a name twice", front + step("GET /", "200", " name=a") + step("GET /", "200", " name=a"), /name=a is taken/],
    ["no method", front + step("/users/me"), /^line 7: a request begins/],
    ["another server", front + step("GET http://example.com/"), /^line 7: a request begins/],
    ["a header that is none", front + step("GET /\nnonsense"), /^line 8: a header is written/],
    ["a body without an empty line", front + step('POST /\n{"a":1}'), /^line 8: a header is written/],
    ["no status", front + step("GET /", '{"a":1}'), /^line 10: an expect block begins with a status/],
    ["members that are no JSON", front + step("GET /", '200\n{"a":…}'), /^line 11: the expected members/],
    ["a reference to nothing", front + step("GET /users/{{made.id}}"), /^line 7: nothing before .*{{made.id}}/],
    ["a reference to itself", front + step("GET /{{a.id}}", "200", " name=a"), /nothing before/],
  ];
  for (const [what, source, message] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseChapter(source),
        (error) => error instanceof ChapterError && message.test(error.message),
      );
    });
  }

  it("lets an expectation refer to its own answer's request", () => {
    const part = onlyStep(step('POST /\n\n{"a":"b"}', '200\n{"c": "{{made.sent.a}}"}', " name=made"));
    assert.deepEqual(part.expect.members, { c: "{{made.sent.a}}" });
  });
});

describe("fillIn", () => {
  const values = { user: { id: 7, email: 'a"b@example.com' }, random: "x/y" };

  it("escapes for the place where a reference stands", () => {
    const part = onlyStep(
      step('POST /a/{{random}}?u={{user.id}}\nX-Mail: {{user.email}}\n\n{"id":{{user.id}},"mail":"{{user.email}}"}'),
    );
    assert.deepEqual(fillIn(part.request, values), {
      method: "POST",
      path: "/a/x%2Fy?u=7",
      headers: { "X-Mail": 'a"b@example.com' },
      body: String.raw`{"id":7,"mail":"a\"b@example.com"}`,
    });
    assert.deepEqual([...namesIn(part.request)].sort(), ["random", "user"]);
  });

  it("says which reference has nothing behind it, also one that leads to a prototype", () => {
    for (const path of ["user.name", "user.constructor", "user"]) {
      const { request } = onlyStep(step(`GET /{{${path}}}`));
      assert.throws(() => fillIn(request, values), { message: `There is no {{${path}}} yet: run the step before.` });
    }
  });

  it("keeps what was sent and what came back", () => {
    const { request } = onlyStep(step('POST /\n\n{"a":1}'));
    assert.deepEqual(valuesOf(request, answer({ b: 2 })), { b: 2, sent: { a: 1 } });
    assert.deepEqual(valuesOf({ ...request, body: "no JSON" }, answer(undefined)), { sent: {} });
  });
});

describe("differences", () => {
  const expect = (text: string) => onlyStep(step("GET /", text)).expect;

  const same: readonly (readonly [string, ChapterAnswer])[] = [
    ["200", answer(undefined)],
    ['200\n{"a": "…"}', answer({ a: null, b: 1 })],
    ['200\n{"a": "one … three"}', answer({ a: "one two three" })],
    ['200\n{"a": ["…"]}', answer({ a: [] })],
    ['200\n{"a": [{"b": 1}, "…"]}', answer({ a: [{ b: 1, c: 2 }, 2, 3] })],
    ['200\n{"a": {"b": null}}', answer({ a: { b: null } })],
    ['200\n{"a": "{{user.id}}", "b": "{{user.email}}"}', answer({ a: 7, b: "x@y.z" })],
    ["429\nRetry-After: …", answer({}, 429, { "retry-after": "60" })],
  ];
  for (const [text, given] of same) {
    it(`finds none in ${text.replaceAll("\n", " ")}`, () => {
      assert.deepEqual(differences(expect(text), given, { user: { id: 7, email: "x@y.z" } }), []);
    });
  }

  const different: readonly (readonly [string, ChapterAnswer, string])[] = [
    ["200", answer({}, 401), "The status is 401, not 200."],
    ["200\nAllow: GET", answer({}), "The header allow is missing."],
    ["200\nAllow: GET", answer({}, 200, { allow: "PUT" }), 'The header allow is "PUT", not "GET".'],
    ['200\n{"a": "…"}', answer({}), "a is missing."],
    ['200\n{"a": "…"}', answer(undefined), "The body is nothing, not an object."],
    ['200\n{"a": {"b": 1}}', answer({ a: { b: 2 } }), "a.b is 2, not 1."],
    ['200\n{"a": "x…x"}', answer({ a: "x" }), 'a is "x", not "x…x".'],
    ['200\n{"a": "1"}', answer({ a: 1 }), 'a is 1, not "1".'],
    ['200\n{"a": [1]}', answer({ a: [1, 2] }), "a is [1,2], not [1]."],
    ['200\n{"a": [1, 2, "…"]}', answer({ a: [1] }), 'a is [1], not [1,2,"…"].'],
    ['200\n{"a": [{"b": 1}]}', answer({ a: [{}] }), "a.0.b is missing."],
    ['200\n{"a": "x…y…z"}', answer({ a: "xzy" }), 'a is "xzy", not "x…y…z".'],
    ['200\n{"constructor": "…"}', answer({}), "constructor is missing."],
  ];
  for (const [text, given, sentence] of different) {
    it(`says: ${sentence}`, () => assert.deepEqual(differences(expect(text), given, {}), [sentence]));
  }
});
