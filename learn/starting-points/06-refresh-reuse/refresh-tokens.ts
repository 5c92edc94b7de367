import { randomBytes } from "node:crypto";

export type Refreshed =
  | { readonly outcome: "rotated"; readonly token: string }
  | { readonly outcome: "reused" | "revoked" | "unknown" };

export type Sessions = {
  /** Begins a session; returns its first refresh token. */
  readonly start: () => string;
  /** Uses a refresh token. */
  readonly refresh: (token: string) => Refreshed;
};

export function createSessions(): Sessions {
  /** Refresh token → its session. */
  const sessionOf = new Map<string, number>();
  let count = 0;

  function issue(session: number): string {
    const token = randomBytes(32).toString("base64url");
    sessionOf.set(token, session);
    return token;
  }

  return {
    start: () => {
      count += 1;
      return issue(count);
    },
    refresh: (token) => {
      const session = sessionOf.get(token);
      if (session === undefined) return { outcome: "unknown" };
      return { outcome: "rotated", token: issue(session) };
    },
  };
}
