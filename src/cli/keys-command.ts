import type { Command } from "commander";
import { listSigningKeys, rotateKeys, signingKeyBody } from "../features/sessions/key-rotation.ts";
import { timestamp } from "../platform/clock.ts";
import { withPlatform } from "./platform-for-command.ts";
import { type ExitCode, type Run, type Terminal, columns } from "./terminal.ts";

export function addKeysCommand(program: Command, terminal: Terminal, run: Run): void {
  const keys = program.command("keys").description("The keys that sign access tokens.");
  keys
    .command("list")
    .description("List the signing keys, their states and who still uses them; private halves stay where they are.")
    .option("--json", "answer in JSON")
    .action(run((options: { json?: true }) => listKeys(options, terminal)));
  keys
    .command("rotate")
    .description("Make the next signing key: published at once, signing when every verifier has it.")
    .option("--json", "answer in JSON")
    .action(run((options: { json?: true }) => rotate(options, terminal)));
}

async function listKeys(options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const found = await withPlatform(terminal, "a database that is there", listSigningKeys);
  if (options.json) {
    terminal.out(JSON.stringify({ keys: found.map(signingKeyBody) }));
    return 0;
  }
  if (found.length === 0) terminal.out("There is no signing key yet: the server makes one at its first start.");
  const header = ["KEY", "ALGORITHM", "STATE", "MADE", "SEEN 1 H", "SEEN 1 D", "LAST SEEN", "SAFE TO RETIRE"];
  const rows = found.map((key) => [
    key.id,
    key.algorithm,
    key.state === "published" ? `published, signs from ${timestamp(key.signsAt)}` : key.state,
    timestamp(key.createdAt),
    String(key.tokensSeenLastHour),
    String(key.tokensSeenLastDay),
    key.lastSeenAt === null ? "never" : timestamp(key.lastSeenAt),
    key.safeToRetireSince === null ? "no" : `since ${timestamp(key.safeToRetireSince)}`,
  ]);
  if (rows.length > 0) for (const line of columns([header, ...rows])) terminal.out(line);
  return 0;
}

async function rotate(options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const rotation = await withPlatform(terminal, "a database that is there", rotateKeys);
  switch (rotation.outcome) {
    case "rotated": {
      const [signsAt, formerRetiresAt] = [timestamp(rotation.signsAt), timestamp(rotation.formerRetiresAt)];
      if (options.json) {
        terminal.out(JSON.stringify({ id: rotation.keyId, signs_at: signsAt, former_retires_at: formerRetiresAt }));
        return 0;
      }
      terminal.out(`The key ${rotation.keyId} is published and signs from ${signsAt}.`);
      terminal.out(`The former key is honoured until ${formerRetiresAt}, when its last token has expired.`);
      return 0;
    }
    case "pending":
      terminal.err(
        `A new key is on its way already: ${rotation.keyId} signs from ${timestamp(rotation.signsAt)}. Rotate again after that.`,
      );
      return 1;
    case "no-keys":
      terminal.err(
        "With TOKEN_ALGORITHM=HS256 tokens are signed with SECRET_KEY itself: there is no key to rotate. Use ES256 or EdDSA.",
      );
      return 1;
    default:
      return rotation satisfies never;
  }
}
