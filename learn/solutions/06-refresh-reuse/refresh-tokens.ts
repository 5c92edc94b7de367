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

type Session = { newestToken: string; isOver: boolean };

export function createSessions(): Sessions {
  /** Refresh token → its session. Used ones stay, to be recognised. */
  const sessionOf = new Map<string, Session>();

  function issue(session: Session): string {
    session.newestToken = randomBytes(32).toString("base64url");
    sessionOf.set(session.newestToken, session);
    return session.newestToken;
  }

  return {
    start: () => issue({ newestToken: "", isOver: false }),
    refresh: (token) => {
      const session = sessionOf.get(token);
      if (session === undefined) return { outcome: "unknown" };
      if (session.isOver) return { outcome: "revoked" };
      if (token === session.newestToken) return { outcome: "rotated", token: issue(session) };
      session.isOver = true;
      return { outcome: "reused" };
    },
  };
}
