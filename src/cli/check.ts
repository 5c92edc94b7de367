/** What was looked at, what was found, and what to do when it is not well. */
export type Check = {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly found: string;
  readonly cure?: string;
};

export function failed(name: string, found: string, cure?: string): Check {
  return { name, state: "failed", found, ...(cure === undefined ? {} : { cure }) };
}
