import { Type } from "typebox";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { Platform } from "../../platform/platform.ts";
import { changePassword, GivenPassword, newPassword, passwordChangeFaults } from "./passwords.ts";

export function passwordRoutes(platform: Platform): readonly AnyRoute[] {
  return [
    route({
      method: "PUT",
      url: "/users/me/password",
      tag: "Accounts",
      summary: "Change my password",
      description: "All other sessions end.",
      access: "signed-in",
      limit: "api",
      body: Type.Object(
        { current_password: GivenPassword, new_password: newPassword(platform.config) },
        { additionalProperties: false, title: "PasswordChange" },
      ),
      rules: (body, caller) => passwordChangeFaults(platform, body, caller),
      success: { status: 204, description: "The password is changed." },
      problems: ["wrong-password", "busy"],
      handle: async ({ body, caller, origin }) =>
        changePassword(platform, caller, { current: body.current_password, next: body.new_password }, origin),
    }),
  ];
}
