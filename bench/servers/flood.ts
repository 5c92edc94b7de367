/**
 * Signs in all the time over many connections, each a client of its own: who has an answer waits for a second, or about
 * so, as Retry-After says, and tries again. Says "ready" when all are connected, begins with all at once when it is told
 * anything, and says how it went when its standard input ends.
 *
 * Connected before, as by a proxy: Node takes one new connection in each turn of its event loop, so under load 500 of
 * them wait for seconds before their server hears of them. Bare sockets, so that this program is not what takes time.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const { port, bodies, pauseMilliseconds } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as {
  readonly port: number;
  /** One for each client. */
  readonly bodies: readonly string[];
  readonly pauseMilliseconds: number;
};
const answers = new Map<number, number>();
const refusedAfter: number[] = [];

type Client = { readonly socket: Socket; readonly request: Buffer };

async function beOneClient({ socket, request }: Client): Promise<never> {
  for (;;) {
    const before = performance.now();
    const status = await ask(socket, request);
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (status === 429 || status === 503) refusedAfter.push(performance.now() - before);
    await pause(pauseMilliseconds * (0.5 + Math.random()));
  }
}

/** The status, when the whole answer is there. */
async function ask(socket: Socket, request: Buffer | string): Promise<number> {
  socket.write(request);
  let answer = "";
  for (;;) {
    const [chunk] = await once(socket, "data");
    answer += String(chunk);
    const headEnd = answer.indexOf("\r\n\r\n");
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
    if (headEnd >= 0 && answer.length >= headEnd + 4 + length) return Number(answer.split(" ", 2)[1]);
  }
}

async function prepare(body: string): Promise<Client> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1").setNoDelay();
  await once(socket, "connect");
  await ask(socket, "GET /health/live HTTP/1.1\r\nHost: bench.example\r\n\r\n");
  const head = `POST /auth/login HTTP/1.1\r\nHost: bench.example\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { socket, request: Buffer.from(head + body) };
}

process.stdin.on("end", () => {
  const sorted = refusedAfter.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const refused = { count: sorted.length, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
  console.log(JSON.stringify({ answers: Object.fromEntries(answers), refused }));
  process.exit();
});
const clients = await Promise.all(bodies.map(prepare));
console.log("ready");
await once(process.stdin, "data");
await Promise.all(clients.map(beOneClient));
