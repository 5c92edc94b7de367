import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../start-error.ts";

const filesMax = 100;
const fileBytesMax = 256 * 1024;

/** The operator's own texts and layout: name → content. What they mean is not for here to say. */
export type TemplateFiles = ReadonlyMap<string, string>;

/** Reads a directory of templates, once. Throws `StartError`. */
export function readTemplateFiles(directory: string | undefined): TemplateFiles {
  if (directory === undefined) return new Map();
  try {
    const names = readdirSync(directory).filter((name) => /\.(?:json|html)$/.test(name));
    if (names.length > filesMax) throw new StartError(`MAIL_TEMPLATES has more than ${filesMax} files.`);
    return new Map(names.map((name) => [name, readTemplate(join(directory, name))]));
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`MAIL_TEMPLATES=${directory} cannot be read: name a directory that this user can read.`, {
      cause: error,
    });
  }
}

function readTemplate(path: string): string {
  if (statSync(path).size > fileBytesMax) throw new StartError(`The mail template ${path} has more than 256 KiB.`);
  return readFileSync(path, "utf8");
}
