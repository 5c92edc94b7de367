import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mailer, OutgoingMail } from "./mailer.ts";

/** What arrived, as a mailbox would show it. */
export type Arrived = {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};

export type MailerUnderTest = { readonly mailer: Mailer; readonly arrived: () => Promise<readonly Arrived[]> };

export const mail: OutgoingMail = {
  messageId: "4f9d1c",
  writtenAt: Date.UTC(2026, 0, 15, 12),
  to: "Alice.O'Neill+x@xn--bcher-kva.example",
  subject: "Bestätige deine Adresse 🦊",
  text: "Grüße,\n.\nein Punkt allein, und eine lange Zeile: " + "x".repeat(1200),
  html: "<p>Grüße</p>",
};

/** Every mailer passes these. */
export function mailerConformance(name: string, create: () => Promise<MailerUnderTest>): void {
  test(`${name}: a mail arrives whole, at its one address`, async () => {
    const { mailer, arrived } = await create();
    const outcome = await mailer.send(mail);
    assert.equal(outcome.kind, "accepted");
    assert.notEqual(outcome.words, "");
    const [only, ...others] = await arrived();
    assert.deepEqual(others, []);
    assert.deepEqual(only?.to, [mail.to]);
    assert.equal(only.subject, mail.subject);
    assert.equal(only.text.trimEnd(), mail.text);
    assert.equal(only.html.trimEnd(), mail.html);
  });

  test(`${name}: ten at once arrive, each at its own address`, async () => {
    const { mailer, arrived } = await create();
    const addresses = Array.from({ length: 10 }, (_, index) => `user${index}@example.com`);
    await Promise.all(addresses.map((to) => mailer.send({ ...mail, to })));
    assert.deepEqual((await arrived()).flatMap(({ to }) => to).toSorted(), addresses);
  });
}
