/**
 * What was acknowledged is there after a power cut (security.md, X2). `npm run proof:power-cut` as root on Linux, with
 * Debian's xfsprogs and e2fsprogs: it makes a file system in a file, and cuts it off in the middle of sign-ups. What was
 * not on the disk by then is lost, as with a power cut; a mere `kill -9` leaves it to the kernel.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { Command } from "commander";
import { type OwnServer, startOwnServer } from "./own-server.ts";
import { createProgress } from "./progress.ts";

const clients = 8;
const imageBytes = 256 * 2 ** 20;
const millisecondsMax = 400;

const program = new Command("proof:power-cut")
  .description("Cuts off the disk under sign-ups, and looks for what was acknowledged.")
  .option("--rounds <count>", "how many cuts", "20");
program.parse();
const rounds = Number(program.opts<{ readonly rounds: string }>().rounds);

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: "pipe" });

const directory = mkdtempSync(join(tmpdir(), "tollgate-power-"));
const [image, disk] = [join(directory, "disk.img"), join(directory, "disk")];
writeFileSync(image, "");
truncateSync(image, imageBytes);
run("mkfs.ext4", "-q", image);
mkdirSync(disk);
run("mount", "-o", "loop", image, disk);

/** Tokens of accounts whose sign-up was answered 201. */
const acknowledged: string[] = [];
let lost = 0;
let server: OwnServer | undefined;
try {
  server = await startOwnServer({
    DATABASE_URL: `sqlite:${disk}/tollgate.db`,
    ARGON2_MEMORY_KIB: "8",
    ARGON2_PASSES: "1",
  });
  const onRound = createProgress(rounds, (text) => process.stdout.write(text), process.stdout.isTTY);
  for (let round = 1; round <= rounds; round += 1) {
    const before = acknowledged.length;
    await cutUnderSignUps(server, round);
    for (const token of acknowledged.slice(before)) lost += (await isThere(server.url, token)) ? 0 : 1;
    onRound(round);
  }
  await server.stop();
  const faults = integrityFaults();
  console.log(
    `${rounds} power cuts, ${acknowledged.length} sign-ups acknowledged, ${lost} lost; integrity_check: ${faults}`,
  );
  process.exitCode = lost === 0 && faults === "ok" && acknowledged.length > 0 ? 0 : 1;
} finally {
  run("umount", disk);
  rmSync(directory, { recursive: true, force: true });
}

async function cutUnderSignUps(running: OwnServer, round: number): Promise<void> {
  let isOver = false;
  const signingUp = Array.from({ length: clients }, async (_, client) => {
    for (let count = 0; !isOver; count += 1) {
      const token = await signUp(running.url, `r${round}c${client}n${count}@example.com`);
      if (token !== undefined) acknowledged.push(token);
    }
  });
  await pause(Math.random() * millisecondsMax);
  run("xfs_io", "-x", "-c", "shutdown", disk);
  // Some more are tried on a disk that is gone: none may be acknowledged.
  await pause(50);
  isOver = true;
  await Promise.all(signingUp);
  await running.crash(() => {
    run("umount", disk);
    run("mount", "-o", "loop", image, disk);
  });
}

async function signUp(url: string, email: string): Promise<string | undefined> {
  const response = await fetch(`${url}/users/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: "correct horse battery" }),
  }).catch(() => undefined);
  if (response?.status !== 201) return undefined;
  const { token } = (await response.json()) as { readonly token: string };
  return token;
}

async function isThere(url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status === 200;
}

function integrityFaults(): string {
  const db = new DatabaseSync(join(disk, "tollgate.db"), { readOnly: true });
  const row = db.prepare("pragma integrity_check").get();
  db.close();
  return String(row?.["integrity_check"]);
}
