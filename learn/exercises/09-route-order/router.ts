/** As `GET /users/:id`: its parts are fixed words, or parameters that begin with a colon. */
export type Route = { readonly method: string; readonly path: string };

export type Found =
  | { readonly status: 200; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly status: 404 }
  | { readonly status: 405; readonly allow: readonly string[] };

export type Router = (method: string, path: string) => Found;

export function createRouter(routes: readonly Route[]): Router {
  return (method, path) => {
    for (const route of routes) {
      const params = match(route.path, path);
      if (params !== undefined && route.method === method) return { status: 200, route, params };
    }
    return { status: 404 };
  };
}

/** The parameters of a path that fits a route's; `undefined` for one that does not. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index];
    if (value === undefined) return undefined;
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}
