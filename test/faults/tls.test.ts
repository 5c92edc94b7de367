import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request as send } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { makeCertificate, withoutOpenssl } from "../support/certificates.ts";
import {
  freePort,
  runTollgate,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from "../support/server-process.ts";

const skip = withoutOpenssl();
const pauseMilliseconds = 20;

type Pair = { readonly certificate: string; readonly key: string };

/** Who speaks TLS there, to somebody who does not mind who it is. */
async function handshake(
  port: number,
  options: object = {},
): Promise<{ fingerprint: string; protocol: string | null }> {
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  try {
    await once(socket, "secureConnect");
    return { fingerprint: socket.getPeerCertificate().fingerprint256, protocol: socket.getProtocol() };
  } finally {
    socket.destroy();
  }
}

async function ask(port: number, path: string, agent: Agent): Promise<{ status: number; text: string }> {
  const sent = send({ host: "127.0.0.1", servername: "localhost", port, path, agent });
  const [response] = (await once(sent.end(), "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await text(response) };
}

function fingerprintOf({ certificate }: Pair): string {
  return new X509Certificate(readFileSync(certificate)).fingerprint256;
}

/** A server whose certificate and key are copies, which the test replaces. */
async function startTlsServer(t: TestContext, first: Pair, env: Record<string, string> = {}) {
  const directory = temporaryDirectory(t);
  const files = { certificate: join(directory, "tls.crt"), key: join(directory, "tls.key") };
  const put = (pair: Pair): void => {
    copyFileSync(pair.certificate, files.certificate);
    copyFileSync(pair.key, files.key);
  };
  put(first);
  const tls = { TLS_CERT_FILE: files.certificate, TLS_KEY_FILE: files.key };
  const server: ServerProcess = await startServer(t, { env: { ...tls, LIMIT_API: "off", LOG_LEVEL: "info", ...env } });
  return { server, files, put };
}

/** Waits until it has been written so often: once by each worker. */
async function said(server: ServerProcess, what: RegExp, times: number): Promise<void> {
  while ((server.output().match(what) ?? []).length < times) await pause(pauseMilliseconds);
}

async function warningsOf(port: number, agent: Agent): Promise<string[]> {
  const ready = await ask(port, "/health/ready", agent);
  assert.equal(ready.status, 200);
  return (JSON.parse(ready.text) as { warnings: string[] }).warnings;
}

test("TLS in the process, a new certificate under load, and a broken one that changes nothing", { skip }, async (t) => {
  const [first, second, third] = [1, 2, 3].map(() => makeCertificate(t, "localhost"));
  assert.ok(first && second && third);
  const { server, files, put } = await startTlsServer(t, first, { WORKERS: "2" });
  const { port } = server;
  await said(server, /Server listening at https/g, 2);
  assert.match(server.output(), new RegExp(`listening on https://127\\.0\\.0\\.1:${port}`));
  assert.match(server.output(), new RegExp(`docs +https://localhost:${port}/docs`));
  const all = [first, second, third].map(({ certificate }) => readFileSync(certificate, "utf8"));
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: all });
  t.after(() => agent.destroy());
  assert.equal((await ask(port, "/health/live", agent)).status, 200);
  assert.deepEqual(await warningsOf(port, agent), []);
  assert.equal((await handshake(port)).fingerprint, fingerprintOf(first));
  assert.equal((await handshake(port, { maxVersion: "TLSv1.2" })).protocol, "TLSv1.2");
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
  await assert.rejects(handshake(port, old), /alert protocol version/);

  let isOver = false;
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; !isOver; await pause(5)) assert.equal((await ask(port, "/health/live", agent)).status, 200);
    }),
  );
  const until = async (pair: Pair): Promise<void> => {
    // Each worker has its own turn: a few handshakes in a row that all say so.
    for (let same = 0; same < 4;) {
      same = (await handshake(port)).fingerprint === fingerprintOf(pair) ? same + 1 : 0;
      await pause(pauseMilliseconds);
    }
  };
  put(second);
  await until(second);
  writeFileSync(files.certificate, "no certificate");
  await said(server, /holds no certificate in PEM: the former TLS certificate stays in force/g, 2);
  for (let asked = 0; asked < 4; asked += 1) {
    assert.equal((await handshake(port)).fingerprint, fingerprintOf(second));
    const fresh = new Agent({ keepAlive: false, ca: all });
    assert.match(
      (await warningsOf(port, fresh)).join(),
      /^tls: TLS_CERT_FILE=.* holds no certificate in PEM\. The former/,
    );
  }
  put(third);
  await until(third);
  assert.deepEqual(await warningsOf(port, agent), []);
  isOver = true;
  await load;
  assert.deepEqual(await server.stop(), { exitCode: 0 });
});

test("a certificate that expires within a week is told", { skip }, async (t) => {
  const pair = makeCertificate(t, "localhost", 3);
  const { server } = await startTlsServer(t, pair);
  const agent = new Agent({ ca: readFileSync(pair.certificate), keepAlive: false });
  assert.match((await warningsOf(server.port, agent)).join(), /^tls: the certificate is good until 20/);
});

test("what is wrong with certificate and key is one sentence each: exit 1", { skip }, async (t) => {
  const [pair, other] = [makeCertificate(t, "localhost"), makeCertificate(t, "localhost")];
  const garbage = join(temporaryDirectory(t), "garbage.pem");
  writeFileSync(garbage, "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
  chmodSync(garbage, 0o600);
  const base = { PORT: String(await freePort()), DATABASE_URL: "sqlite::memory:" };
  const files = { TLS_CERT_FILE: pair.certificate, TLS_KEY_FILE: pair.key };
  const cases = [
    { env: { TLS_CERT_FILE: pair.certificate }, says: /^TLS_KEY_FILE must be set where TLS_CERT_FILE is/ },
    { env: { TLS_KEY_FILE: pair.key }, says: /^TLS_CERT_FILE must be set where TLS_KEY_FILE is/ },
    {
      env: { ...files, PUBLIC_URL: "http://localhost:8000" },
      says: /^PUBLIC_URL must be https where TLS_CERT_FILE is/,
    },
    { env: { ...files, TLS_CERT_FILE: "/nowhere/tls.crt" }, says: /^TLS_CERT_FILE=\/nowhere\/tls\.crt cannot be read/ },
    { env: { ...files, TLS_CERT_FILE: garbage }, says: /^TLS_CERT_FILE=.* holds no certificate/ },
    { env: { ...files, TLS_KEY_FILE: garbage }, says: /^TLS_KEY_FILE=.* holds no private key/ },
    { env: { ...files, TLS_KEY_FILE: other.key }, says: /^TLS_KEY_FILE=.* is not the key of the first certificate/ },
  ];
  const runs = cases.map(async ({ env, says }) => {
    const { exitCode, stdout, stderr } = await runTollgate(["serve"], { ...base, ...env });
    assert.deepEqual([exitCode, stdout], [1, ""]);
    assert.match(stderr, says);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.doesNotMatch(stderr, /canary/);
  });
  await Promise.all(runs);
});
