import { html, joined, type SafeHtml } from "../../platform/http/web-pages.ts";

/** The parts of a mail in the order in which it shows them; all are text. */
export type MailParts = {
  readonly language: string;
  readonly product: string;
  readonly home: string;
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly button: Button | undefined;
  readonly code: { readonly shown: string; readonly note: string } | undefined;
  readonly after: readonly string[];
  readonly footer: readonly string[];
};

type Button = {
  readonly label: string;
  readonly link: string;
  /** How long; empty for a link that is always good. */
  readonly goodFor: string;
  /** What stands before the address itself. */
  readonly instead: string;
};

/** Where `layout.html` has the parts; it must have each. */
export const layoutSlots = ["language", "title", "product", "home", "content", "footer"] as const;

/** As text: what is read where HTML is not shown, and by those who want no HTML. */
export function asText(parts: MailParts): string {
  const { product, home, title, paragraphs, button, code, after, footer } = parts;
  const blocks = [
    title,
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.link}`, ...(button.goodFor ? [button.goodFor] : [])] : []),
    ...(code ? [`${code.note}\n\n    ${code.shown}`] : []),
    ...after,
    ["-- ", `${product}, ${home}`, ...footer].join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

export function asHtml(layout: string, parts: MailParts): string {
  const { language, title, product, home, footer } = parts;
  const slots: Readonly<Record<(typeof layoutSlots)[number], SafeHtml>> = {
    language: html`${language}`,
    title: html`${title}`,
    product: html`${product}`,
    home: html`${home}`,
    content: contentOf(parts),
    footer: joined(footer.map((line) => html`<p>${line}</p>\n`)),
  };
  return layout.replaceAll(/\{\{(\w+)\}\}/g, (slot, name: string) =>
    Object.hasOwn(slots, name) ? slots[name as keyof typeof slots].text : slot,
  );
}

function contentOf({ title, paragraphs, button, code, after }: MailParts): SafeHtml {
  const paragraph = (text: string): SafeHtml => html`<p>${text}</p>\n`;
  return joined([
    html`<h1>${title}</h1>\n`,
    ...paragraphs.map(paragraph),
    ...(button ? [html`<p><a class="button" href="${button.link}">${button.label}</a></p>\n`] : []),
    ...(code ? [html`<p>${code.note}</p>\n<p class="code">${code.shown}</p>\n`] : []),
    ...after.map(paragraph),
    ...(button
      ? [
          html`<p class="small">${button.goodFor} ${button.instead}<br><a href="${button.link}">${button.link}</a></p>\n`,
        ]
      : []),
  ]);
}

/**
 * One column that fits any width, in the reader's colours, without anything to load: a mail that loads pictures tells
 * who reads it and when.
 */
export const ownLayout = `<!doctype html>
<html lang="{{language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{title}}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 12px; background: #f3f4f6; color: #1b1f24; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main, footer, .brand { max-width: 536px; margin: 0 auto; overflow-wrap: anywhere; }
main { background: #ffffff; border: 1px solid #d8dce2; border-radius: 8px; padding: 8px 24px 16px; }
.brand { padding: 0 0 12px; font-weight: 600; }
.brand a { color: inherit; text-decoration: none; }
h1 { font-size: 22px; line-height: 1.25; margin: 16px 0; }
a { color: #1d4fa8; }
.button { display: inline-block; background: #1d4fa8; color: #ffffff; border: 1px solid #1d4fa8; border-radius: 6px; padding: 12px 20px; font-weight: 600; text-decoration: none; }
.code { font: 600 24px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: 0.08em; }
.small, footer { font-size: 14px; color: #555d68; }
footer p { margin: 12px 0 0; }
@media (prefers-color-scheme: dark) {
body { background: #14171b; color: #e7eaee; }
main { background: #1d2126; border-color: #363c45; }
a { color: #9dc1ff; }
.button { background: #9dc1ff; color: #0d1b31; border-color: #9dc1ff; }
.small, footer { color: #a9b1bc; }
}
</style>
</head>
<body>
<header class="brand"><a href="{{home}}">{{product}}</a></header>
<main>
{{content}}</main>
<footer>
{{footer}}</footer>
</body>
</html>
`;
