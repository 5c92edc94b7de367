/** As `GET /users/:id`: its parts are fixed words, or parameters that begin with a colon. */
export type Route = { readonly method: string; readonly path: string };

export type Found =
  | { readonly status: 200; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly status: 404 }
  | { readonly status: 405; readonly allow: readonly string[] };

export type Router = (method: string, path: string) => Found;

export function createRouter(routes: readonly Route[]): Router {
  // Once, at the start: paths with fewer parameters first.
  const sorted = routes.toSorted((one, two) => countParameters(one.path) - countParameters(two.path));
  return (method, path) => {
    const winner = sorted.find((route) => match(route.path, path) !== undefined);
    if (winner === undefined) return { status: 404 };
    const samePath = routes.filter((route) => partsOf(route.path).join("/") === partsOf(winner.path).join("/"));
    const route = samePath.find((one) => one.method === method);
    if (route === undefined) return { status: 405, allow: samePath.map((one) => one.method).sort() };
    return { status: 200, route, params: match(route.path, path) ?? {} };
  };
}

function countParameters(path: string): number {
  return partsOf(path).filter((part) => part.startsWith(":")).length;
}

/** The parts of a path, without the empty one that a slash at the end makes. */
function partsOf(path: string): string[] {
  return path.replace(/\/$/, "").split("/");
}

/** The parameters of a path that fits a route's; `undefined` for one that does not. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [partsOf(pattern), partsOf(path)];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) {
      const decoded = decode(value);
      if (decoded === undefined || decoded === "") return undefined;
      params[part.slice(1)] = decoded;
    } else if (part !== value) return undefined;
  }
  return params;
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
