/**
 * What was acknowledged is there after a power cut (security.md, X2). `npm run proof:power-cut` as root on Linux, with
 * Debian's xfsprogs and e2fsprogs: it makes a file system in a file, and gives it up in the middle of sign-ups. What was
 * not on the disk by then is lost, as with a power cut; a mere `kill -9` leaves it to the kernel. `--file-system xfs`
 * does it to the other one.
 *
 * Unlike a power cut this leaves the server running on a disk that is gone: it must not acknowledge anything there.
 */
import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type DiskProof, runDiskProof } from "./disk-proof.ts";
import { giveUp, type LoopDisk, makeLoopDisk } from "./loop-disk.ts";
import { createTally, keepSigningUp, lookFor, startServerOn } from "./sign-ups-on-a-disk.ts";

const diskMebibytes = 384;
const millisecondsMax = 400;
const goneMilliseconds = 50;

await runDiskProof(
  "proof:power-cut",
  "Cuts off the disk under sign-ups, and looks for what was acknowledged.",
  cutAgainAndAgain,
);

async function cutAgainAndAgain({ rounds, fileSystem, onRound, interrupted }: DiskProof): Promise<boolean> {
  using temporary = mkdtempDisposableSync(join(tmpdir(), "tollgate-power-"));
  await using disk = await makeLoopDisk(temporary.path, "disk", fileSystem, diskMebibytes);
  await using server = await startServerOn(disk.directory);
  const acknowledged: string[] = [];
  const tally = createTally();
  for (let round = 1; round <= rounds; round += 1) {
    acknowledged.push(...(await signUpUntilCut(server.url, disk, `r${round}`, interrupted)));
    await server.crash(disk.remount);
    tally.add(lookFor(acknowledged, disk.directory));
    onRound(round);
  }
  console.log(
    `${rounds} power cuts of ${fileSystem}, ${acknowledged.length} sign-ups acknowledged, ${tally.missing()} lost; integrity_check: ${tally.integrity()}`,
  );
  return tally.isClean() && acknowledged.length > 0;
}

async function signUpUntilCut(
  url: string,
  disk: LoopDisk,
  name: string,
  interrupted: AbortSignal,
): Promise<readonly string[]> {
  await using signUps = keepSigningUp(url, name);
  await pause(Math.random() * millisecondsMax, undefined, { signal: interrupted });
  giveUp(disk);
  // Some more are tried on a disk that is gone: none may be acknowledged.
  await pause(goneMilliseconds);
  return signUps.acknowledged;
}
