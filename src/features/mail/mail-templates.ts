import type { Platform } from "../../platform/platform.ts";
import { StartError } from "../../platform/start-error.ts";
import { layoutSlots, ownLayout } from "./mail-layout.ts";
import { germanTexts } from "./mail-texts-de.ts";
import { englishTexts } from "./mail-texts-en.ts";
import type { MailTexts } from "./mail-texts.ts";

/** The texts by language, and the one layout. */
export type MailTemplates = { readonly texts: ReadonlyMap<string, MailTexts>; readonly layout: string };

const ownTexts: Readonly<Record<string, MailTexts>> = { en: englishTexts, de: germanTexts };

const placeholders: ReadonlySet<string> = new Set(
  "product email newEmail lifetime time device address replyTo program system".split(" "),
);

type Source = Pick<Platform, "templateFiles" | "config">;

const known = new WeakMap<object, MailTemplates>();

/**
 * Our own texts and layout, with those of MAIL_TEMPLATES over them: `layout.html`, and a `de.json` of the same shape as
 * mail-texts-de.ts that may leave out what stays as it is. Another language than ours has to be complete.
 *
 * @throws StartError that says which file is wrong, and where
 */
export function mailTemplates({ templateFiles, config }: Source): MailTemplates {
  const templates = known.get(templateFiles) ?? readTemplates(templateFiles);
  known.set(templateFiles, templates);
  if (!templates.texts.has(config.mail.locale)) {
    const languages = [...templates.texts.keys()].join(", ");
    throw new StartError(
      `MAIL_LOCALE=${config.mail.locale} is a language that no mail is written in: use ${languages}.`,
    );
  }
  return templates;
}

function readTemplates(files: Platform["templateFiles"]): MailTemplates {
  const texts = new Map(Object.entries(ownTexts));
  for (const [name, content] of files) {
    const language = /^([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.json$/.exec(name)?.[1];
    if (language !== undefined) texts.set(language, mergeTexts(name, parse(name, content), texts.get(language)));
    else if (name !== "layout.html") throw fault(name, "is no layout.html and no language, as de.json");
  }
  return { texts, layout: readLayout(files.get("layout.html")) };
}

function readLayout(layout: string | undefined): string {
  if (layout === undefined) return ownLayout;
  const missing = layoutSlots.find((slot) => !layout.includes(`{{${slot}}}`));
  if (missing !== undefined) throw fault("layout.html", `has no place for {{${missing}}}`);
  return layout;
}

function parse(name: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw fault(name, `is no JSON: ${error instanceof Error ? error.message : ""}`);
  }
}

/** The English texts are the pattern: every text that they have, and no other. */
function mergeTexts(name: string, given: unknown, own: MailTexts | undefined): MailTexts {
  const merge = (pattern: unknown, mine: unknown, base: unknown, path: string): unknown => {
    if (typeof pattern === "string") return textAt(name, path, mine ?? base);
    if (Array.isArray(pattern)) {
      const list: unknown = mine ?? base;
      if (!Array.isArray(list)) throw fault(name, `lacks the list ${path}`);
      return list.map((entry, index) => textAt(name, `${path}/${index}`, entry));
    }
    const [patterns, mines, bases] = [members(pattern), members(mine), members(base)];
    if (mine !== undefined && mines === undefined) throw fault(name, `has something else than an object at ${path}`);
    const strange = Object.keys(mines ?? {}).find((key) => !Object.hasOwn(patterns ?? {}, key));
    if (strange !== undefined) throw fault(name, `has ${path}/${strange}, which no mail knows`);
    return Object.fromEntries(
      Object.entries(patterns ?? {}).map(([key, one]) => [
        key,
        merge(one, mines?.[key], bases?.[key], `${path}/${key}`),
      ]),
    );
  };
  // Built after the pattern, which is one.
  return merge(englishTexts, given, own, "") as MailTexts;
}

function members(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function textAt(name: string, path: string, text: unknown): string {
  if (typeof text !== "string" || text === "") throw fault(name, `lacks the text ${path}`);
  const strange = [...text.matchAll(/\{(\w+)\}/g)].find(([, placeholder = ""]) => !placeholders.has(placeholder));
  if (strange !== undefined) throw fault(name, `puts ${strange[0]} into ${path}, which is not known`);
  return text;
}

function fault(name: string, what: string): StartError {
  return new StartError(`The mail template ${name} ${what}: mend it in MAIL_TEMPLATES, or remove it.`);
}
