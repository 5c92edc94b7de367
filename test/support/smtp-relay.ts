import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { domainToASCII } from "node:url";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";

/**
 * How the relay behaves: takes everything; is busy; refuses the recipient; refuses the content; says nothing from the
 * beginning; leaves at once; takes the whole mail and then says nothing, or leaves.
 */
export type RelayMode = "good" | "421" | "550" | "554" | "hang" | "close" | "hang-after-data" | "close-after-data";

export type TakenMail = {
  /** The envelope: what counts. */
  readonly from: string;
  readonly to: readonly string[];
  readonly isTls: boolean;
  readonly user: string | undefined;
  readonly raw: string;
};

export type TestRelay = {
  readonly port: number;
  /** How many connections there have been. */
  readonly connections: () => number;
  /** All that came whole, also what was then not acknowledged. */
  readonly taken: readonly TakenMail[];
  /** From now on. */
  readonly behave: (mode: RelayMode) => void;
  readonly close: () => Promise<void>;
};

export const certificatePath = new URL("../vectors/smtp-test-certificate.pem", import.meta.url).pathname;
export const keyPath = new URL("../vectors/smtp-test-key.pem", import.meta.url).pathname;

export type RelayOptions = {
  /** `starttls` offers it, `tls` speaks nothing else; `none` has a relay of the old kind. */
  readonly tls?: "none" | "starttls" | "tls";
  readonly login?: { readonly user: string; readonly password: string };
};

/** A real SMTP server on this machine that behaves as a test wants it. */
export async function startRelay({ tls = "none", login }: RelayOptions = {}): Promise<TestRelay> {
  const taken: TakenMail[] = [];
  let mode: RelayMode = "good";
  let connections = 0;
  const smtp = new SMTPServer({
    ...(tls === "none" ? {} : { key: readFileSync(keyPath), cert: readFileSync(certificatePath) }),
    secure: tls === "tls",
    disabledCommands: [...(tls === "starttls" ? [] : ["STARTTLS"]), ...(login ? [] : ["AUTH"])],
    authOptional: login === undefined,
    allowInsecureAuth: tls === "none",
    disableReverseLookup: true,
    logger: false,
    onAuth: ({ username, password }, _session, done) => {
      if (username === login?.user && password === login?.password) done(null, { user: username });
      else done(refusal(535, "5.7.8 Authentication failed"));
    },
    onMailFrom: (_address, _session, done) => done(mode === "421" ? refusal(421, "4.3.2 Come back later") : null),
    onRcptTo: (_address, _session, done) => done(mode === "550" ? refusal(550, "5.1.1 No such user here") : null),
    onData: (stream, session, done) => {
      let raw = "";
      stream.setEncoding("utf8").on("data", (chunk: string) => (raw += chunk));
      stream.once("end", () => {
        taken.push({ ...envelopeOf(session), raw });
        if (mode === "hang-after-data") return;
        if (mode === "close-after-data") leave(smtp, session);
        else done(mode === "554" ? refusal(554, "5.7.1 Not wanted") : null, "2.0.0 Queued as 4711");
      });
    },
  } satisfies SMTPServerOptions);
  smtp.on("error", () => undefined); // A client that leaves is no fault of the relay's.
  const inner = smtp.listen(0, "127.0.0.1");
  await once(inner, "listening");
  const sockets = new Set<Socket>();
  // In front, so that a relay can say nothing at all.
  const front = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    if (mode === "close") socket.destroy();
    else if (mode !== "hang") join(socket, (inner.address() as AddressInfo).port);
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: (front.address() as AddressInfo).port,
    connections: () => connections,
    taken,
    behave: (next) => {
      mode = next;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed(front), new Promise<void>((resolve) => smtp.close(resolve))]);
    },
  };
}

function envelopeOf({ envelope, secure, user }: SMTPServerSession): Omit<TakenMail, "raw"> {
  return {
    from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
    // As it came: the library shows domains in Unicode.
    to: envelope.rcptTo.map(({ address }) => address.replace(/[^@]+$/, domainToASCII)),
    isTls: secure,
    user: user as string | undefined,
  };
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function join(socket: Socket, port: number): void {
  const other = connect(port, "127.0.0.1");
  other.on("error", () => socket.destroy()).on("close", () => socket.destroy());
  socket.on("close", () => other.destroy());
  socket.pipe(other).pipe(socket);
}

function leave(smtp: SMTPServer, { id }: SMTPServerSession): void {
  for (const connection of smtp.connections) if (connection.id === id) connection.close();
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}
