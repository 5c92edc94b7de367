/**
 * What is in deploy/, the Dockerfile and compose.yaml, as far as it can be judged without an engine: it parses, it fits
 * the schemas of Kubernetes, and the settings in it are settings that this server takes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { validate } from "dockerfile-utils";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { Namespace, Secret, Service, ServiceAccount } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";
import { readConfig } from "../src/config.ts";
import { settingsReference } from "../src/settings.ts";
import { temporaryDirectory } from "./support/server-process.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const settingNames: ReadonlySet<string> = new Set(settingsReference().map(({ name }) => name));
const kubernetesFiles = globSync("deploy/kubernetes/*.yaml", { cwd: root }).toSorted();
/** After SHUTDOWN_DELAY: ten for what is under way, two until a worker is killed. */
const stopSecondsMax = 12;

/** Anything that YAML can say; what is expected of a member is said where it is looked at. */
type Node = { readonly [member: string]: Node };

function textOf(node: unknown): string {
  assert.ok(typeof node === "string" || typeof node === "number", "text");
  return `${node}`;
}

function documentsOf(path: string): readonly Node[] {
  return parseAllDocuments(read(path), { merge: true }).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [], path);
    return document.toJS() as Node;
  });
}

function settingsOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

/** What Node.js itself reads. */
const namesOfNode: ReadonlySet<string> = new Set(["NODE_COMPILE_CACHE"]);

/** That a server starts with them: all are known, and together they are good. */
function assertGood(where: string, env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(env)) {
    assert.ok(settingNames.has(name) || namesOfNode.has(name), `${where} sets ${name}, which is no setting`);
  }
  const reading = readConfig(env);
  assert.deepEqual(reading.ok ? [] : reading.faults, [], where);
}

const dockerEnv = settingsOf(/^ENV (.*)$/m.exec(read("Dockerfile"))?.[1]?.split(" ") ?? []);
const secretKey = "0123456789abcdef0123456789abcdef";

test("the Dockerfile is a good one: small, not root, with this project's Node.js", () => {
  const text = read("Dockerfile");
  assert.deepEqual(validate(text), []);
  const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
  assert.match(text, new RegExp(`^FROM node:${devDependencies["node"]?.replaceAll(".", "\\.")}-`, "m"));
  const lastStage = text.slice(text.lastIndexOf("\nFROM "));
  assert.doesNotMatch(lastStage, /^(RUN|ADD) /m, "nothing is run, made or fetched in it");
  assert.match(lastStage, /^USER 65532:65532$/m);
  for (const instruction of ["HEALTHCHECK .* CMD", "ENTRYPOINT", "CMD"]) {
    assert.match(lastStage, new RegExp(`^${instruction} \\[`, "m"), "there is no shell");
  }
  for (const [, source = ""] of lastStage.matchAll(/ \/app\/(\S+) \/app/g)) {
    if (source !== "node_modules") assert.ok(globSync(source, { cwd: root }).length > 0, `${source} is copied`);
  }
  assert.doesNotMatch(text, /SECRET|PASSWORD/);
  assertGood("Dockerfile", { ...dockerEnv, PUBLIC_URL: "https://a.example.com", SECRET_KEY: secretKey });
});

test("what is ignored is not built from, and what is built from is there", () => {
  const kept = [...read(".dockerignore").matchAll(/^!(.*)$/gm)].map(([, path = ""]) => path);
  for (const path of kept) assert.ok(globSync(path, { cwd: root }).length > 0, path);
  for (const secret of [".env", "data", ".git"]) assert.ok(!kept.includes(secret));
});

test("compose.yaml: two servers that start with what it gives them, and no secret in it", () => {
  const [compose] = documentsOf("compose.yaml");
  assert.ok(compose);
  const example = settingsOf(
    read("deploy/compose/env.example")
      .split("\n")
      .filter((line) => /^[A-Z]/.test(line)),
  );
  const filled: Record<string, string> = {
    ...example,
    SECRET_KEY: secretKey,
    POSTGRES_PASSWORD: "p",
    VALKEY_PASSWORD: "v",
  };
  const used = [...read("compose.yaml").matchAll(/\$\{(\w+)/g)].map(([, name = ""]) => name);
  assert.deepEqual([...new Set(used)].toSorted(), Object.keys(example).toSorted(), "env.example has all of them");
  for (const secret of ["SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"]) assert.equal(example[secret], "");
  const fill = (text: string): string => text.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, name: string) => filled[name] ?? "");
  for (const name of ["tollgate-1", "tollgate-2"]) {
    const service = compose["services"]?.[name] as Node;
    const environment = Object.entries(service["environment"] as Node).map(([key, value]) => [
      key,
      fill(textOf(value)),
    ]);
    assertGood(name, { ...dockerEnv, ...(Object.fromEntries(environment) as Record<string, string>) });
    assert.equal(service["read_only"], true);
    const delay = Number.parseInt(textOf(service["environment"]?.["SHUTDOWN_DELAY"]), 10);
    assert.ok(Number.parseInt(textOf(service["stop_grace_period"]), 10) >= delay + stopSecondsMax);
    assert.match(read("deploy/compose/Caddyfile"), new RegExp(`${name}:${dockerEnv["PORT"]}`));
  }
});

/** The schemas let unknown members pass, so a misspelt one shows by this: a validator never reads it. */
function watchReads(object: object): { readonly watched: object; readonly unread: () => string[] } {
  const unread = new Set<string>();
  const watch = (value: unknown, path: string): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const members = new Map(Object.entries(value).map(([name, member]) => [name, watch(member, `${path}/${name}`)]));
    for (const name of members.keys()) unread.add(`${path}/${name}`);
    return new Proxy(value, {
      get: (target, name) => {
        if (typeof name !== "string" || !members.has(name)) return Reflect.get(target, name) as unknown;
        unread.delete(`${path}/${name}`);
        return members.get(name);
      },
    });
  };
  const watched = watch(object, "") as object;
  return { watched, unread: () => [...unread] };
}

const models: Readonly<Record<string, new (data: never) => { validate: () => void }>> = {
  Deployment,
  HorizontalPodAutoscaler,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
};

test("Kubernetes: each object fits its schema, and they fit each other", () => {
  const [kustomization] = documentsOf("deploy/kubernetes/kustomization.yaml");
  assert.ok(kustomization);
  const apart = ["kustomization.yaml", "secrets.example.yaml"];
  const files = kubernetesFiles.map((path) => path.replace("deploy/kubernetes/", ""));
  const resources = (kustomization["resources"] as unknown as string[]).toSorted();
  assert.deepEqual(
    resources,
    files.filter((file) => !apart.includes(file)),
  );
  const objects = kubernetesFiles.filter((path) => !path.endsWith("kustomization.yaml")).flatMap(documentsOf);
  for (const object of objects) {
    const Model = models[textOf(object["kind"])] ?? assert.fail(`no schema for ${textOf(object["kind"])}`);
    const { watched, unread } = watchReads(object);
    // It is made of a copy of what it is given.
    const model = Object.assign(new Model(object as never), watched);
    assert.equal(textOf((model as unknown as Node)["apiVersion"]), textOf(object["apiVersion"]));
    model.validate();
    assert.deepEqual(unread(), [], `members of ${textOf(object["kind"])} that its schema does not know`);
  }
  const byKind = new Map(objects.map((object) => [textOf(object["kind"]), object]));
  const pod = byKind.get("Deployment")?.["spec"]?.["template"] as Node;
  const labels = pod["metadata"]?.["labels"];
  assert.deepEqual(byKind.get("Service")?.["spec"]?.["selector"], labels);
  assert.deepEqual(byKind.get("PodDisruptionBudget")?.["spec"]?.["selector"]?.["matchLabels"], labels);
  assert.deepEqual(byKind.get("NetworkPolicy")?.["spec"]?.["podSelector"]?.["matchLabels"], labels);
  assert.equal(byKind.get("HorizontalPodAutoscaler")?.["spec"]?.["scaleTargetRef"]?.["name"], "tollgate");
  assertPod(pod["spec"] as Node, kustomization, byKind.get("Secret") as Node);
});

/** Pod Security Standards, "restricted"; the probes; and that the server starts with its settings. */
function assertPod(spec: Node, kustomization: Node, secret: Node): void {
  const container = spec["containers"]?.[0] as Node;
  assert.deepEqual(container["securityContext"], {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  assert.equal(spec["securityContext"]?.["runAsNonRoot"], true);
  assert.deepEqual(spec["securityContext"]?.["seccompProfile"], { type: "RuntimeDefault" });
  assert.equal(container["ports"]?.[0]?.["containerPort"], Number(dockerEnv["PORT"]));
  const routes = read("docs/reference/routes.md");
  for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
    assert.ok(routes.includes(`GET ${textOf(container[probe]?.["httpGet"]?.["path"])}`), probe);
  }
  const literals = settingsOf(kustomization["configMapGenerator"]?.[0]?.["literals"] as unknown as string[]);
  const secrets = { ...(secret["stringData"] as unknown as Record<string, string>), SECRET_KEY: secretKey };
  assertGood("Kubernetes", { ...dockerEnv, ...literals, ...secrets });
  const delay = Number.parseInt(literals["SHUTDOWN_DELAY"] ?? "", 10);
  const probe = container["readinessProbe"] as Node;
  assert.ok(
    delay > Number(textOf(probe["periodSeconds"])) * Number(textOf(probe["failureThreshold"])),
    "time enough to notice",
  );
  assert.ok(Number(textOf(spec["terminationGracePeriodSeconds"])) >= delay + stopSecondsMax);
}

/** Why the unit is not tried here. REQUIRE_SERVICES=1 makes that a failure. */
function withoutSystemd(): string | false {
  if (spawnSync("systemd-analyze", ["--version"]).status === 0) return false;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error("systemd-analyze is missing");
  return "skipped: no systemd-analyze";
}

test("the systemd unit is one that systemd takes, and exposes little", { skip: withoutSystemd() }, (t) => {
  const text = read("deploy/systemd/tollgate.service");
  assertGood("tollgate.service", {
    ...settingsOf(/^Environment=(.*)$/m.exec(text)?.[1]?.split(" ") ?? []),
    PUBLIC_URL: "https://a.example.com",
    SECRET_KEY: secretKey,
  });
  const path = join(temporaryDirectory(t), "tollgate.service");
  // What it runs lies elsewhere than here.
  writeFileSync(path, text.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
  assert.deepEqual([verified.status, verified.stderr], [0, ""]);
  const security = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", path], {
    encoding: "utf8",
  });
  const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(security.stdout)?.[1]);
  assert.ok(exposure < 2, `${exposure} of 10`);
});
