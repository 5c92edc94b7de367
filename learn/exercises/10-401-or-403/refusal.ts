import { hasPermission, type Permission, type Role } from "../../../src/contract/permissions.ts";

/** What the check of the token has found. */
export type Token = "none" | "invalid" | "expired" | { readonly accountId: number; readonly role: Role };

/** Who may use a route: everybody; who has a permission; or the owner of an account, and who has a permission. */
export type Access = "public" | { readonly needs: Permission; readonly orOwner?: number };

export type Refusal = { readonly status: number; readonly code: string; readonly challenge?: string };

/** `undefined` when the request may pass. */
export function refusalFor(token: Token, access: Access): Refusal | undefined {
  if (token === "none") return { status: 403, code: "permission-denied" };
  if (token === "invalid" || token === "expired") return { status: 403, code: "token-invalid" };
  if (access === "public") return undefined;
  if (hasPermission(token.role, access.needs)) return undefined;
  return { status: 401, code: "permission-denied", challenge: "Bearer" };
}
