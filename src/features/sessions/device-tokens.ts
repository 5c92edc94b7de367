import type { Platform } from "../../platform/platform.ts";

const prefix = "tgd_";
const deviceIdBytes = 16;
const macBytes = 32;
const purpose = "device-token";

/**
 * A device token shows that this client has signed in to this account before. It signs nobody in: its bearer's wrong
 * passwords are only counted apart from strangers', so that no stranger's guessing can lock the owner out.
 * HMAC-SHA-256 over the device's random id and the account; nothing is stored.
 */
export function makeDeviceToken({ secrets }: Pick<Platform, "secrets">, accountId: number): string {
  const deviceId = secrets.randomBytes(deviceIdBytes);
  return prefix + Buffer.concat([deviceId, macOf(secrets, deviceId, accountId)]).toString("base64url");
}

/** The id of the device, if the token was made for this account. */
export function readDeviceToken(
  { secrets }: Pick<Platform, "secrets">,
  token: string | undefined,
  accountId: number,
): string | undefined {
  if (!token?.startsWith(prefix) || token.length > 128) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), "base64url");
  if (bytes.length !== deviceIdBytes + macBytes) return undefined;
  const deviceId = bytes.subarray(0, deviceIdBytes);
  const isOurs = secrets.isSame(macOf(secrets, deviceId, accountId), bytes.subarray(deviceIdBytes));
  return isOurs ? deviceId.toString("base64url") : undefined;
}

function macOf(secrets: Platform["secrets"], deviceId: Uint8Array, accountId: number): Uint8Array {
  return secrets.mac(purpose, Buffer.concat([deviceId, Buffer.from(`account:${accountId}`)]));
}
