import { Command, InvalidArgumentError, Option } from "commander";
import { type FileSystem, fileSystems, missingDiskTool } from "./loop-disk.ts";
import { createProgress } from "./progress.ts";

type Options = { readonly rounds: number; readonly fileSystem: FileSystem };

export type DiskProof = Options & {
  readonly onRound: (done: number) => void;
  /** A Ctrl-C. Waits end by it, so that what was mounted is unmounted on the way out. */
  readonly interrupted: AbortSignal;
};

/** Runs a proof on a disk of its own: it tells whether all was as it should be, and that is the exit code. */
export async function runDiskProof(
  name: string,
  description: string,
  prove: (proof: DiskProof) => Promise<boolean>,
): Promise<void> {
  const options = await readOptions(name, description);
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());
  const onRound = createProgress(options.rounds, (text) => process.stdout.write(text), process.stdout.isTTY);
  try {
    process.exitCode = (await prove({ ...options, onRound, interrupted: interruption.signal })) ? 0 : 1;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    console.error("Interrupted: this proves nothing.");
    process.exitCode = 1;
  }
}

async function readOptions(name: string, description: string): Promise<Options> {
  const program = new Command(name)
    .description(description)
    .option("--rounds <count>", "how many", wholeNumber, 20)
    .addOption(new Option("--file-system <name>", "that of the disk").choices(fileSystems).default("ext4"));
  program.parse();
  if (process.getuid?.() !== 0) program.error(`${name} mounts file systems: run it as root, on Linux.`);
  const missing = await missingDiskTool();
  if (missing !== undefined) program.error(`There is no ${missing}: install Debian's xfsprogs and e2fsprogs.`);
  return program.opts<Options>();
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
