import type { Fault } from "../../../src/contract/problems.ts";

/** What is wrong with the body of a sign-up; empty when nothing is. */
export function signUpFaults(body: unknown): readonly Fault[] {
  const { email, password } = body as { email?: unknown; password?: unknown };
  if (typeof email !== "string" || !email.includes("@")) {
    return [{ pointer: "", detail: "Please give a valid e-mail address.", code: "error" }];
  }
  if (typeof password !== "string" || password.length < 6) {
    return [{ pointer: "", detail: `The password ${String(password)} is too short.`, code: "error" }];
  }
  return [];
}
