import { accessSync, closeSync, constants, fsyncSync, openSync, statSync } from "node:fs";

export type DataDirectory =
  | { readonly state: "missing" }
  | { readonly state: "there"; readonly isWritable: boolean; readonly isPrivate: boolean };

/** How the data directory looks; changes nothing. Private: no other user may write or read in it. */
export function inspectDataDirectory(path: string): DataDirectory {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return { state: "missing" };
  return { state: "there", isWritable: isWritable(path), isPrivate: (found.mode & 0o077) === 0 };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Puts the names in a directory on the disk, so that a new file outlives a power cut with its content. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
