import assert from "node:assert/strict";
import { test } from "node:test";
import { createInboxMailer } from "./inbox-mailer.ts";
import { mail, mailerConformance } from "./mailer-conformance.ts";

mailerConformance("inbox", async () => {
  const mailer = createInboxMailer({ mailsMax: 100 });
  return { mailer, arrived: async () => (mailer.inbox?.mails() ?? []).map((one) => ({ ...one, to: [one.to] })) };
});

test("the inbox shows the newest first, forgets the oldest, and can be emptied", async () => {
  const { send, inbox } = createInboxMailer({ mailsMax: 2 });
  for (const subject of ["first", "second", "third"]) await send({ ...mail, subject });
  assert.deepEqual(
    inbox?.mails().map(({ subject }) => subject),
    ["third", "second"],
  );
  await inbox.clear();
  assert.deepEqual(inbox.mails(), []);
});
