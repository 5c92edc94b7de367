import type { Config } from "../config.ts";
import { listSigningKeys } from "../features/sessions/key-rotation.ts";
import { openKeyring } from "../features/sessions/signing-keys.ts";
import { systemClock } from "../platform/clock.ts";
import { openDatabase } from "../platform/database/database.ts";
import type { DatabaseInspection } from "../platform/database/inspect-database.ts";
import { createSecrets, findSecretKey } from "../platform/secrets.ts";
import { StartError } from "../platform/start-error.ts";
import { type Check, failed } from "./check.ts";

const name = "keys";

/** Whether the signing keys open under the secret of this configuration. Makes neither a key nor a secret. */
export async function checkKeys(config: Config, inspection: DatabaseInspection | undefined): Promise<Check> {
  try {
    const secretKey = config.secretKey ?? (config.dataDirectory && findSecretKey(config.dataDirectory));
    if (!isReadyToOpen(inspection)) {
      return { name, state: "ok", found: "Not looked at: there is no database of this version yet." };
    }
    return await openKeys(config, secretKey);
  } catch (error) {
    if (error instanceof StartError) return failed(name, error.message);
    throw error;
  }
}

// Opening the database migrates it, which is not for a doctor to do.
function isReadyToOpen(inspection: DatabaseInspection | undefined): boolean {
  if (inspection?.state !== "there" || inspection.damage !== undefined) return false;
  return inspection.pending.length === 0 && inspection.unknown.length === 0;
}

async function openKeys(config: Config, secretKey: string | undefined): Promise<Check> {
  const db = await openDatabase(config.database, systemClock);
  try {
    const keys = await listSigningKeys({ db, clock: systemClock });
    const algorithm = keys.at(-1)?.algorithm;
    if (algorithm !== "ES256" && algorithm !== "EdDSA") {
      return { name, state: "ok", found: "There is none yet: the server makes one when it needs it." };
    }
    if (secretKey === undefined) {
      return failed(
        name,
        "The secret is gone under which the keys were encrypted.",
        "Restore secret.key in the data directory.",
      );
    }
    // With the algorithm of a key that is there, none is made.
    const tokenAlgorithm = algorithm;
    const secrets = createSecrets(secretKey);
    await openKeyring({ db, secrets, clock: systemClock, config: { ...config, tokenAlgorithm } });
    return { name, state: "ok", found: `All open under the secret: ${keys.length}.` };
  } finally {
    await db.destroy();
  }
}
