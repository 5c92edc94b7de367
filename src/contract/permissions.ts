/** What a role may do. A route names the one permission it needs; a refusal names the one that is missing. */
export const permissions = {
  "users:read": "Read every account, and list them.",
  "users:write":
    "Change the role of an account, disable it or enable it, end its sessions, make it change its password.",
  "users:delete": "Delete any account.",
  "mail:read": "See what became of each mail; never what is in it.",
  "audit:read": "Read what happened to accounts, and how refused requests passed the gates.",
  "system:read": "See how the server fares: its counters, limits, signing keys and settings.",
  "keys:write": "Make the next signing key.",
} as const;

export type Permission = keyof typeof permissions;

export const roles = ["user", "admin"] as const;

export type Role = (typeof roles)[number];

const rolePermissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  user: new Set(),
  admin: new Set(Object.keys(permissions) as Permission[]),
};

export function hasPermission(role: Role, permission: Permission): boolean {
  return rolePermissions[role].has(permission);
}
