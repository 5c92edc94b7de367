/** Where our packages come from (ASVS 15.1.2, 15.2.4; requirement 87): one registry, exact versions, a hash for each. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

type Locked = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
};
type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly scripts: Readonly<Record<string, string>>;
};

const root = join(import.meta.dirname, "..");
const manifest = readJson<Manifest>("package.json");
const { packages } = readJson<{ packages: Readonly<Record<string, Locked>> }>("package-lock.json");
/** The pages' own package, which npm links: it is a folder of ours. */
const workspace = "web";
const locked = Object.entries(packages).filter(
  ([path]) => path !== "" && path !== workspace && path !== "node_modules/tollgate-web",
);

test("every locked package has a hash, and comes from npm's registry alone", () => {
  const faults = locked.filter(
    ([, { integrity, resolved, link }]) =>
      link === true ||
      !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "") ||
      !(resolved === undefined || new URL(resolved).origin === "https://registry.npmjs.org"),
  );
  assert.deepEqual(faults, []);
  assert.ok(locked.length > 100, `only ${locked.length} packages were looked at`);
});

test("one package runs a script when it is installed: node, which fetches itself from the same registry", () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
  assert.deepEqual(scripted, ["node_modules/node"]);
  assert.deepEqual(manifest.allowScripts, { node: true });
  const ours = Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?(?:install|prepare)/.test(name));
  assert.deepEqual(ours, ["prepare"]);
  assert.equal(manifest.scripts["prepare"], "npm run -s build", "it builds the pages, and nothing else");
});

test("package.json names exact versions, and the lockfile holds the same", () => {
  const pages = readJson<Pick<Manifest, "devDependencies">>(`${workspace}/package.json`);
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const wantedByPages = Object.entries(pages.devDependencies);
  assert.deepEqual(
    [...wanted, ...wantedByPages].filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  );
  const isLocked = (place: string, [name, version]: readonly [string, string]): boolean =>
    packages[`${place}node_modules/${name}`]?.version === version;
  assert.deepEqual(
    wanted.filter((one) => !isLocked("", one)),
    [],
  );
  assert.deepEqual(
    wantedByPages.filter((one) => !isLocked("", one) && !isLocked(`${workspace}/`, one)),
    [],
  );
});

// `npm ci` brings the Node.js that everything runs on: one version, whatever the machine.
test("npm scripts run on the Node.js that package.json names", () => {
  assert.equal(manifest.devDependencies["node"], process.versions.node);
});

function readJson<Value>(path: string): Value {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as Value;
}
