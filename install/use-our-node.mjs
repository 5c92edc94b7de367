/**
 * Makes `node` in npm's scripts the Node.js that `npm ci` has just installed, one of the optional dependencies.
 * Runs after it, on whatever Node.js runs npm, so it is plain JavaScript.
 *
 * npm 11 has done that already. npm 10 has not: when it clears away the packages of other platforms it clears away
 * what they would have been called by, `node_modules/.bin/node`, ours included.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const isWindows = process.platform === "win32";
const link = join(modules, ".bin", isWindows ? "node.exe" : "node");

const ours = Object.entries(manifest.optionalDependencies)
  .map(([name, version]) => ({ version, path: join(modules, name, "bin", isWindows ? "node.exe" : "node") }))
  .find(({ version, path }) => existsSync(path) && versionOf(path) === version);

if (ours === undefined) {
  rmSync(link, { force: true });
  requireOwnNode();
} else if (versionOf(link) !== ours.version) {
  rmSync(link, { force: true });
  makeLink(ours.path);
}

/** Only its answer tells whether it runs here: Alpine is Linux, but has another C library. */
function versionOf(path) {
  return spawnSync(path, ["-p", "process.versions.node"], { encoding: "utf8", timeout: 20_000 }).stdout?.trim();
}

function makeLink(path) {
  mkdirSync(dirname(link), { recursive: true });
  // Windows lets only administrators make symbolic links.
  if (isWindows) copyFileSync(path, link);
  else symlinkSync(relative(dirname(link), path), link);
}

function requireOwnNode() {
  const needed = Object.values(manifest.optionalDependencies)[0];
  if (majorOf(process.versions.node) >= majorOf(needed)) return;
  console.error(
    `Tollgate needs Node.js ${majorOf(needed)} and brings none that runs here (${process.platform}, ${process.arch}); ` +
      `this is ${process.versions.node}. Install Node.js ${majorOf(needed)} and run npm ci again.`,
  );
  process.exitCode = 1;
}

function majorOf(version) {
  return Number(version.split(".", 1)[0]);
}
