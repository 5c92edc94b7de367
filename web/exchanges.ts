/** One request of this page with its answer: what the page can show of itself. Holds no secret. */
export type Exchange = {
  readonly id: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly requestBody: string | undefined;
  /** 0 while there is no answer. */
  readonly status: number;
  readonly milliseconds: number;
  readonly serverTiming: string;
  readonly requestId: string;
};

const exchangesMax = 30;
let made: readonly Exchange[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Sends a request and remembers what was said, the newest first, the last thirty. */
export async function recordExchange(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  lastId += 1;
  const id = lastId;
  const { pathname, search } = new URL(request.url);
  const requestBody = request.body ? withoutSecrets(await request.clone().text()) : undefined;
  const startedAt = performance.now();
  const remember = (response: Response | undefined): void => {
    const exchange: Exchange = {
      id,
      method: request.method,
      path: pathname + search,
      requestBody,
      status: response?.status ?? 0,
      milliseconds: performance.now() - startedAt,
      serverTiming: response?.headers.get("server-timing") ?? "",
      requestId: response?.headers.get("x-request-id") ?? "",
    };
    made = [exchange, ...made].slice(0, exchangesMax);
    for (const listener of listeners) listener();
  };
  try {
    const response = await send(request);
    remember(response);
    return response;
  } catch (error) {
    remember(undefined);
    throw error;
  }
}

/** The members of a body that must not be shown, by the end of their names. */
const secretName = /(?:password|token|code|flow|secret)$/i;

/** A JSON body with its secrets hidden. What is no JSON is not shown at all. */
export function withoutSecrets(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), (name, value: unknown) =>
      secretName.test(name) && typeof value === "string" ? "…" : value,
    );
  } catch {
    return "…";
  }
}

export function exchangesMade(): readonly Exchange[] {
  return made;
}

/** Called after each exchange. Returns what stops it. */
export function onExchange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
