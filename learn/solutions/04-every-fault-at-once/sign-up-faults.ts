import type { Fault } from "../../../src/contract/problems.ts";

type Reason = Omit<Fault, "pointer">;

const passwordLengthMin = 6;

/** What each member must be. */
const rules: Readonly<Record<string, (value: string) => Reason | undefined>> = {
  email: (value) =>
    /^[^@\s]+@[^@\s]+$/.test(value) ? undefined : { detail: "must be an e-mail address", code: "format" },
  password: (value) =>
    [...value].length >= passwordLengthMin
      ? undefined
      : { detail: `must have at least ${passwordLengthMin} characters`, code: "too-short" },
};

/** What is wrong with the body of a sign-up; empty when nothing is. */
export function signUpFaults(body: unknown): readonly Fault[] {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return [{ pointer: "#", detail: "must be a JSON object", code: "type" }];
  }
  const members = new Map<string, unknown>(Object.entries(body));
  const faults: Fault[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    const reason = reasonFor(members, name, rule);
    if (reason) faults.push({ pointer: pointerTo(name), ...reason });
  }
  for (const name of members.keys()) {
    if (Object.hasOwn(rules, name)) continue;
    faults.push({ pointer: pointerTo(name), detail: "is not known here", code: "unknown-member" });
  }
  return faults;
}

function reasonFor(
  members: ReadonlyMap<string, unknown>,
  name: string,
  rule: (value: string) => Reason | undefined,
): Reason | undefined {
  if (!members.has(name)) return { detail: "is missing", code: "required" };
  const value = members.get(name);
  return typeof value === "string" ? rule(value) : { detail: "must be a text", code: "type" };
}

/** RFC 6901 §3: the tilde first, or the escape of a slash would be escaped again. */
function pointerTo(name: string): string {
  return `#/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
