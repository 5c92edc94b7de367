import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { startServer, type ServerProcess, temporaryDirectory } from "./server-process.ts";

const libraries = ["run", "posix"].map((part) => `/usr/lib/fiu/fiu_${part}_preload.so`);

/** A server whose calls to the system can be made to fail, as on a disk that breaks. */
export type FailingServer = {
  readonly server: ServerProcess;
  /** From now on these calls fail, by libfiu's names: `posix/io/sync/fsync`. */
  readonly fail: (...calls: readonly string[]) => void;
  readonly mend: (...calls: readonly string[]) => void;
};

/**
 * `test` for those that need libfiu (Debian: fiu-utils). Without it they are skipped; REQUIRE_SERVICES=1 makes that a
 * failure.
 */
export function testWithFailingIo(name: string, work: (t: TestContext) => Promise<void>): void {
  void test(name, async (t) => {
    if (libraries.every((path) => existsSync(path))) {
      await work(t);
      return;
    }
    if (process.env["REQUIRE_SERVICES"] === "1") throw new Error("fiu-utils is missing");
    t.skip("skipped: no fiu-utils");
  });
}

export async function startFailingServer(
  t: TestContext,
  env: Readonly<Record<string, string>>,
): Promise<FailingServer> {
  const control = `${temporaryDirectory(t)}/fiu`;
  const server = await startServer(t, { env: { ...env, LD_PRELOAD: libraries.join(" "), FIU_CTRL_FIFO: control } });
  const tell = (word: "enable" | "disable", calls: readonly string[]): void => {
    for (const call of calls) {
      const args = ["-f", control, "-c", `${word} name=${call}`, String(server.process.pid)];
      const { status, stdout, stderr } = spawnSync("fiu-ctrl", args, { encoding: "utf8", timeout: 10_000 });
      if (status !== 0) throw new Error(`fiu-ctrl failed: ${stdout}${stderr}`);
    }
  };
  return { server, fail: (...calls) => tell("enable", calls), mend: (...calls) => tell("disable", calls) };
}
