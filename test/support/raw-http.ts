import { connect } from "node:net";

export type RawAnswer = { readonly status: number; readonly head: string; readonly body: string };

/**
 * Writes bytes to a port of this machine as they are, and gives back what came until the server closed or
 * `waitMilliseconds` of silence. `leave` cuts the connection right after writing.
 */
export async function sendRaw(
  port: number,
  bytes: string | Buffer,
  { waitMilliseconds = 500, leave = false }: { readonly waitMilliseconds?: number; readonly leave?: boolean } = {},
): Promise<readonly RawAnswer[]> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => resolve());
  socket.on("close", () => resolve());
  socket.setTimeout(waitMilliseconds, () => resolve());
  socket.on("connect", () => {
    socket.write(bytes, () => {
      if (leave) socket.resetAndDestroy();
    });
  });
  await promise;
  socket.destroy();
  return answersOf(text);
}

function answersOf(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest.startsWith("HTTP/1.1 ")) {
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) break;
    const head = rest.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    answers.push({ status: Number(head.slice(9, 12)), head, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
