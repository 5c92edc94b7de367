import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { directoryOfFile } from "./server-process.ts";

const root = join(import.meta.dirname, "../..");

/** A copy of learn/, without anybody's progress, beside links to what its files import. Gone when the test file ends. */
export function learnCopy(): string {
  const directory = directoryOfFile();
  const learn = join(directory, "learn");
  mkdirSync(learn);
  cpSync(join(root, "learn"), learn, { recursive: true, filter: (path) => !path.endsWith(".progress") });
  // An exercise that somebody is half way through on the disk starts from its beginning here.
  cpSync(join(learn, "starting-points"), join(learn, "exercises"), { recursive: true });
  for (const name of ["src", "node_modules", "package.json"]) symlinkSync(join(root, name), join(directory, name));
  return learn;
}
