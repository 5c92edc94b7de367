/**
 * What was acknowledged is in the image that a power cut leaves of the disk (security.md, X2). `npm run proof:disk-image`
 * as root on Linux, with Debian's xfsprogs and e2fsprogs.
 *
 * `proof:power-cut` gives a file system up while the server runs on; a real cut stops everything at one instant. So here
 * the disk is copied at one instant, under sign-ups that go on, and the copies are looked at. Three file systems, each
 * in a file of the one before:
 *
 * - the shelf: XFS, which copies a file by reference, at once, while nobody can write to it;
 * - the platter: its image is what is copied;
 * - the disk: the database is on it. What it writes without a flush stays in memory as pages of its image's file, as in
 *   the cache of a disk; a flush is an fsync of that file, which puts them on the platter.
 *
 * A copy of the platter is thus a disk that lost its cache. It is a bit kinder than a real one: the kernel may write such
 * pages early, and no block is ever torn.
 */
import { constants, mkdtempDisposableSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type DiskProof, runDiskProof } from "./disk-proof.ts";
import { type FileSystem, makeLoopDisk, mountLoopDisk } from "./loop-disk.ts";
import { createTally, type Found, keepSigningUp, lookFor, startServerOn } from "./sign-ups-on-a-disk.ts";

const mebibytes = { shelf: 1536, platter: 640, disk: 384 } as const;
const millisecondsMax = 400;

await runDiskProof(
  "proof:disk-image",
  "Copies the disk's image under sign-ups, and looks in the copies for what was acknowledged.",
  copyAgainAndAgain,
);

async function copyAgainAndAgain({ rounds, fileSystem, onRound, interrupted }: DiskProof): Promise<boolean> {
  using temporary = mkdtempDisposableSync(join(tmpdir(), "tollgate-image-"));
  await using shelf = await makeLoopDisk(temporary.path, "shelf", "xfs", mebibytes.shelf);
  await using platter = await makeLoopDisk(shelf.directory, "platter", "ext4", mebibytes.platter);
  await using disk = await makeLoopDisk(platter.directory, "disk", fileSystem, mebibytes.disk);
  await using server = await startServerOn(disk.directory);
  await using signUps = keepSigningUp(server.url, "");
  const copy = join(shelf.directory, "copy.img");
  const tally = createTally();
  let acknowledged: readonly string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await pause(Math.random() * millisecondsMax, undefined, { signal: interrupted });
    acknowledged = [...signUps.acknowledged];
    await copyFile(platter.image, copy, constants.COPYFILE_FICLONE_FORCE);
    tally.add(await lookInto(shelf.directory, acknowledged, fileSystem));
    rmSync(copy);
    onRound(round);
  }
  console.log(
    `${rounds} images of ${fileSystem}, ${acknowledged.length} sign-ups acknowledged before one, ${tally.missing()} missing in one; integrity_check: ${tally.integrity()}; other answers: ${signUps.refusals()}`,
  );
  return tally.isClean() && acknowledged.length > 0 && signUps.refusals() === 0;
}

async function lookInto(shelf: string, emails: readonly string[], fileSystem: FileSystem): Promise<Found> {
  await using platter = await mountLoopDisk(shelf, "copy", "ext4");
  await using disk = await mountLoopDisk(platter.directory, "disk", fileSystem);
  return lookFor(emails, disk.directory);
}
