import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { temporaryDirectory } from "./server-process.ts";
import type { Lifetime } from "./test-database.ts";

/** Why there is no certificate. REQUIRE_SERVICES=1 makes that a failure. */
export function withoutOpenssl(): string | false {
  if (spawnSync("openssl", ["version"]).status === 0) return false;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error("openssl is missing");
  return "skipped: no openssl";
}

/** A self-signed certificate and its key, in files of their own, good for so many days. */
export function makeCertificate(
  t: Lifetime,
  host: string,
  days = 30,
): { readonly certificate: string; readonly key: string } {
  const directory = temporaryDirectory(t);
  const [certificate, key] = [join(directory, "certificate.pem"), join(directory, "key.pem")];
  const names = `-subj /CN=${host} -addext subjectAltName=DNS:${host}`;
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days ${days} ${names}`;
  const made = spawnSync("openssl", [...request.split(" "), "-out", certificate, "-keyout", key]);
  assert.equal(made.status, 0, String(made.stderr));
  return { certificate, key };
}
