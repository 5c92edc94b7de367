import { timestamp } from "../../platform/clock.ts";
import { html, joined, pageOf, type SafeHtml } from "../../platform/http/web-pages.ts";
import type { OutgoingMail } from "../../platform/mail/mailer.ts";

/** What has been sent, newest first. Its links are those of the mail: they work. */
export function inboxPage(mails: readonly OutgoingMail[]): string {
  const main = html`
<section class="hero">
<h1>Inbox</h1>
<p class="lead">Without <code>SMTP_URL</code> this server's mail comes here and goes nowhere else. The last 200 stay while it runs; programs get them from the same address as JSON.</p>
<p><a href="/dev/mail">How each mail looks</a></p>
</section>
${mails.length === 0 ? emptyInbox : html`<ul class="rows">${joined(mails.map(inboxItem))}</ul>`}`;
  return pageOf({ title: "Inbox · Tollgate", at: "/dev/inbox", main });
}

const emptyInbox = html`<div class="empty"><p>No mail yet. A sign-up sends the first: <a href="/sign-up">sign up</a>, then come back and reload.</p></div>`;

function inboxItem({ messageId, writtenAt, to, subject }: OutgoingMail): SafeHtml {
  const at = timestamp(writtenAt);
  return html`<li><a href="/dev/inbox/${messageId}">${subject}</a><time datetime="${at}">${at.slice(0, 19).replace("T", " ")} UTC</time><p>to ${to}</p></li>`;
}

/** Every mail that there is, in every language. */
export function mailListPage(kinds: readonly string[], locales: readonly string[]): string {
  const main = html`
<section class="hero">
<h1>Mails</h1>
<p class="lead">Every mail this server can send, with made-up facts. Words and layout are yours to replace: see <code>MAIL_TEMPLATES</code>.</p>
<p><a href="/dev/inbox">What was really sent</a></p>
</section>
<ul class="rows">${joined(kinds.map((kind) => mailItem(kind, locales)))}</ul>`;
  return pageOf({ title: "Mails · Tollgate", at: "/dev/mail", main });
}

function mailItem(kind: string, locales: readonly string[]): SafeHtml {
  const links = locales.map(
    (locale) => html` <a href="/dev/mail/${kind}?locale=${locale}" hreflang="${locale}">${locale}</a>`,
  );
  return html`<li class="many"><strong>${kind}</strong><span>${joined(links)}</span></li>`;
}
