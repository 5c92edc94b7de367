import { readFileSync } from "node:fs";

/** A file of `web/`, read once at the start: a missing one is found then, not by a visitor. */
export function readWebFile(name: string): string {
  return readFileSync(new URL(`../../../web/${name}`, import.meta.url), "utf8");
}

/** A file of `docs/reference/`: what it says the server says too. */
export function readReferenceFile(name: string): string {
  return readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), "utf8");
}
