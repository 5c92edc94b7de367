import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import type { Lifetime } from "./test-database.ts";

/** The TXT records of each name; a name with none exists, and one that is not here does not. */
export type Zone = Readonly<Record<string, readonly (string | readonly string[])[]>>;

/** A name server on this machine that knows a few TXT records (RFC 1035); `silent` hears questions and says nothing. */
export async function startDns(
  t: Lifetime,
  zone: Zone | "silent",
): Promise<{ readonly address: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (question: Buffer, { port, address }: RemoteInfo) => {
    const name = nameIn(question);
    asked.push(name);
    if (zone !== "silent") socket.send(answerTo(question, zone[name]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

const headerLength = 12;

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = headerLength, length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.join(".").toLowerCase();
}

function answerTo(question: Buffer, records: Zone[string] | undefined): Buffer {
  const questionEnd = question.indexOf(0, headerLength) + 5; // The root label, type and class.
  const header = Buffer.from(question.subarray(0, headerLength));
  const noSuchName = 3;
  header.writeUInt16BE(0x8180 | (records === undefined ? noSuchName : 0), 2);
  header.writeUInt16BE(records?.length ?? 0, 6);
  header.writeUInt32BE(0, 8);
  const answers = (records ?? []).map((record) => {
    const pieces = [record].flat().map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]));
    const data = Buffer.concat(pieces);
    const fixed = Buffer.from("c00c00100001000000000000", "hex"); // The name above, TXT, IN, kept for no time.
    fixed.writeUInt16BE(data.length, 10);
    return Buffer.concat([fixed, data]);
  });
  return Buffer.concat([header, question.subarray(headerLength, questionEnd), ...answers]);
}
