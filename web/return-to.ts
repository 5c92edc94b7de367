/**
 * Where to go after signing in: a path of our own, or undefined. Whatever a browser could read as another place is
 * none (RFC 9700 §4.11: `//host`, `/\host`, tabs and line ends that browsers drop, encodings of all these).
 */
export function ownPath(text: string | null | undefined): string | undefined {
  if (!text || text.length > 512 || !/^\/[\w~!$'()*,;:@&=+/?#.%-]*$/.test(text)) return undefined;
  const path = text.split(/[?#]/, 1)[0] ?? "";
  // No path of ours has an escape, a dot segment or an empty segment; who sends one means something else.
  if (/%|\/\/|\/\.|;|@|:/.test(path)) return undefined;
  const base = "https://own.invalid";
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  return url?.origin === base && url.pathname === path ? text : undefined;
}

/** The page to sign in at, which leads back to this one. */
export function signInPath(location: {
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}): string {
  const here = ownPath(location.pathname + location.search + location.hash);
  return here === undefined || here === "/sign-in" ? "/sign-in" : `/sign-in?returnTo=${encodeURIComponent(here)}`;
}
