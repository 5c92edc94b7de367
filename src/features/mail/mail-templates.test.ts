import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../../config.ts";
import type { TemplateFiles } from "../../platform/mail/template-files.ts";
import { ownLayout } from "./mail-layout.ts";
import { mailTemplates } from "./mail-templates.ts";
import { germanTexts } from "./mail-texts-de.ts";
import { mailKinds } from "./mail-texts.ts";
import { type WrittenMail, writeMail } from "./write-mail.ts";

type Files = Readonly<Record<string, unknown>>;

function platformWith(files: Files = {}, env: Readonly<Record<string, string>> = {}) {
  const reading = readConfig({ DATABASE_URL: "sqlite::memory:", ...env });
  assert.ok(reading.ok, reading.ok ? "" : reading.faults.join("\n"));
  const entries = Object.entries(files).map(([name, file]) => [
    name,
    typeof file === "string" ? file : JSON.stringify(file),
  ]);
  return { config: reading.config, templateFiles: new Map(entries as [string, string][]) satisfies TemplateFiles };
}

const letter = {
  kind: "reset-password",
  email: "alice@example.com",
  cause: { at: Date.UTC(2026, 0, 2, 3, 4), address: "192.0.2.1", userAgent: null },
  link: { address: "https://auth.example.com/mail/reset?m=x#tgm_y", lifetimeSeconds: 1800 },
  code: { shown: "ABCD-EFGH", lifetimeSeconds: 600 },
} as const;

const written = (files: Files, locale: string | null, env: Readonly<Record<string, string>> = {}): WrittenMail =>
  writeMail(platformWith(files, env), letter, locale);

test("a mail is in its reader's language, or that of MAIL_LOCALE", () => {
  const english = "Choose a new password";
  const german = "Wähle ein neues Passwort";
  for (const [locale, MAIL_LOCALE, subject] of [
    ["de", "en", german],
    ["de-AT", "en", german],
    ["DE-Latn-AT", "en", german],
    ["en-GB", "de", english],
    ["fr-CA", "en", english],
    ["fr", "de", german],
    [null, "de", german],
    ["d", "en", english],
  ] as const) {
    assert.equal(written({}, locale, { MAIL_LOCALE }).subject, subject, `${locale} ${MAIL_LOCALE}`);
  }
  const { text } = written({}, "de");
  assert.match(text, /30 Minuten/);
  assert.match(text, /Angefordert am 2\. Januar 2026 um 03:04 UTC, mit einem unbekannten Programm, von 192\.0\.2\.1\./);
});

test("every text of both languages is there, with placeholders that each mail fills", () => {
  const { texts } = mailTemplates(platformWith());
  assert.deepEqual([...texts.keys()], ["en", "de"]);
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]))
      : Array.isArray(value);
  assert.deepEqual(shape(texts.get("de")), shape(texts.get("en")));
  assert.deepEqual(Object.keys(germanTexts.mails), [...mailKinds]);
});

test("what is put into HTML is text, and as text the mail is whole", () => {
  const evil = { ...letter, email: "<b>&\"'@example.com" };
  const platform = platformWith({}, { PRODUCT_NAME: 'A&B "x"' });
  const { html, text } = writeMail(platform, evil, "en");
  assert.ok(html.includes("&lt;b&gt;&amp;&quot;&#39;@example.com") && !html.includes("<b>"));
  assert.ok(html.includes("A&amp;B"));
  for (const part of [letter.link.address, letter.code.shown, 'A&B "x"', evil.email]) assert.ok(text.includes(part));
  assert.ok(text.split("\n").every((line) => !/<\w/.test(line.replace(evil.email, ""))));
});

test("own files lie over ours: a text, a language, the layout", () => {
  const files = {
    "de.json": { mails: { "reset-password": { subject: "Neu bei {product}" } } },
    "fr.json": {
      ...germanTexts,
      mails: { ...germanTexts.mails, "reset-password": { ...germanTexts.mails["reset-password"], subject: "Bonjour" } },
    },
    "layout.html": ownLayout.replace("<main>", '<main class="ours">'),
  };
  const german = written(files, "de");
  assert.equal(german.subject, "Neu bei Tollgate");
  assert.match(german.text, /Wähle ein neues Passwort/, "what is not overridden stays");
  assert.match(german.html, /<main class="ours">/);
  assert.equal(written(files, "fr-FR").subject, "Bonjour");
  assert.equal(written(files, null, { MAIL_LOCALE: "fr" }).subject, "Bonjour");
});

test("a file that is wrong stops the start, with its name and the place", () => {
  const faults: readonly (readonly [Files, RegExp])[] = [
    [{ "de.json": "{" }, /de\.json is no JSON/],
    [{ "notes.json": {} }, /notes\.json is no layout\.html and no language/],
    [{ "fr.json": { mails: {} } }, /fr\.json lacks the text \/mails\/verify-email\/subject/],
    [{ "de.json": { mails: { "reset-pasword": {} } } }, /has \/mails\/reset-pasword, which no mail knows/],
    [{ "de.json": { mails: { trial: { subject: "{token}" } } } }, /puts \{token\} into \/mails\/trial\/subject/],
    [{ "de.json": { mails: { trial: { subject: "" } } } }, /lacks the text \/mails\/trial\/subject/],
    [{ "de.json": { mails: "none" } }, /something else than an object at \/mails/],
    [{ "layout.html": "<html>{{content}}</html>" }, /layout\.html has no place for \{\{language\}\}/],
  ];
  for (const [files, message] of faults) assert.throws(() => mailTemplates(platformWith(files)), message);
  assert.throws(
    () => mailTemplates(platformWith({}, { MAIL_LOCALE: "fr" })),
    /MAIL_LOCALE=fr is a language that no mail/,
  );
});
