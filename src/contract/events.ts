/**
 * What happened to accounts, sessions and keys: event type → the members of its payload.
 * A payload never holds a secret. Who did it, to whom, when, from where and in which request stand beside it.
 */
export type Events = {
  "account/created": { role: string; by: "sign-up" | "command-line" | "lab" };
  "account/renamed": Record<never, never>;
  "account/email-verified": Record<never, never>;
  "account/email-changed": { by: "owner" | "undo" };
  "account/takeover-reported": Record<never, never>;
  "account/role-changed": { from: string; to: string };
  "account/disabled": Record<never, never>;
  "account/enabled": Record<never, never>;
  "account/deleted": { reason?: "throw-away" };
  "password/changed": Record<never, never>;
  "password/reset": Record<never, never>;
  "password/change-required": Record<never, never>;
  "password/change-waived": Record<never, never>;
  "session/started": { session_id: string; method: "sign-up" | "password" | "mail" | "lab" };
  "session/reauthenticated": { session_id: string };
  "session/refreshed": { session_id: string; outcome: "rotated" | "retried" | "overlapped" };
  "session/refresh-reused": { session_id: string };
  "session/expired": { session_id: string };
  "session/ended": { reason: EndReason; session_id?: string };
  "signing-key/created": { key_id: string; algorithm: string };
  "database/restored": { sessions_ended: number; links_voided: number; mails_withheld: number };
};

/** Why a session is over. */
export type EndReason =
  | "signed-out"
  | "ended-by-owner"
  | "ended-by-administrator"
  | "password-changed"
  | "password-change-required"
  | "password-reset"
  | "reported-by-owner"
  | "account-disabled"
  | "refresh-reused"
  | "restored";

export type EventType = keyof Events;

export const eventMeanings: Readonly<Record<EventType, string>> = {
  "account/created": "An account came to be.",
  "account/renamed": "The display name changed.",
  "account/email-verified": "Somebody showed that the address is theirs.",
  "account/email-changed": "Another address, confirmed by mail; or the one before again, taken back by mail.",
  "account/takeover-reported":
    "The owner said that something was not their doing: everybody was signed out, the password no longer works.",
  "account/role-changed": "Another role, effective at the next request.",
  "account/disabled": "The account may no longer sign in; its sessions ended.",
  "account/enabled": "The account may sign in again.",
  "account/deleted": "The account is gone, with its sessions.",
  "password/changed": "Another password; all other sessions ended.",
  "password/reset": "Another password, chosen with what came by mail; all sessions ended.",
  "password/change-required": "The password lets nobody in until it is changed; the account's sessions ended.",
  "password/change-waived": "The password may be used again as it is.",
  "session/started": "Somebody signed in.",
  "session/reauthenticated": "The password was given again: the session is fresh.",
  "session/refreshed": "A refresh token was used, or its lost answer asked for again.",
  "session/refresh-reused": "A used refresh token came again: somebody else has it, so the session ended.",
  "session/expired": "A refresh token came after its session had been idle too long, or had reached its end.",
  "session/ended": "One session ended, or all of an account's.",
  "signing-key/created": "A key that signs access tokens came to be.",
  "database/restored": "A backup was restored: what this log tells from before is of the time of that backup.",
};
