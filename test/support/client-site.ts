import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, type TestContext } from "node:test";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { openBrowser } from "./browser.ts";
import { startServer } from "./server-process.ts";

/** What happens on the way to one request. */
export type Trouble =
  /** The server does it, and nobody gets the answer. */
  | "lost"
  /** The answer breaks off in its body. */
  | "broken"
  /** No answer, ever. */
  | "silence"
  /** Somebody answers in place of the server. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** It goes on to the server when this is over. */
  | Promise<unknown>
  /** The server does it, and the answer comes when this is over. */
  | { readonly answerAfter: Promise<unknown> };

export type Seen = {
  readonly path: string;
  readonly key: string | undefined;
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
};

/** A server behind a network that can be made bad, and a browser of its own with the client in every page. */
export type Site = {
  readonly url: string;
  readonly context: BrowserContext;
  /** A page with the client as `client`. */
  readonly tab: (client?: ClientPage) => Promise<Page>;
  /** Loads the page anew. */
  readonly reload: (page: Page, client?: ClientPage) => Promise<void>;
  /** Goes to another page. */
  readonly open: (page: Page, path: string) => Promise<void>;
  /** For the next requests to this path, one each. */
  readonly meet: (path: string, ...troubles: readonly Trouble[]) => void;
  /** The requests to this path so far. */
  readonly seen: (path: string) => readonly Seen[];
  /** Resolves when so many requests to this path have come. */
  readonly until: (path: string, count: number) => Promise<void>;
};

export type ClientPage = {
  /** What `createClient` is called with. */
  readonly options?: string;
  /** Runs before anything else in the page. */
  readonly before?: string;
  /** The page's clock is in the test's hand. */
  readonly clock?: true;
};

type Env = Readonly<Record<string, string>>;

/**
 * Sites for the tests of one file: servers with the same settings are one.
 * `undefined` after the test was skipped, because there is no Chromium.
 */
export function createSites(): (
  t: TestContext,
  env?: Env,
  context?: BrowserContextOptions,
) => Promise<Site | undefined> {
  const closers: (() => unknown)[] = [];
  after(async () => {
    for (const close of closers.toReversed()) await close();
  });
  const file: Pick<TestContext, "after"> = { after: (close) => void closers.push(close as () => unknown) };
  const servers = new Map<string, Promise<number>>();
  return async (t, env = {}, context = {}) => {
    const browser = await openBrowser(t, { isWhole: true });
    if (browser === undefined) return undefined;
    const name = JSON.stringify(env);
    const settings = { LIMIT_API: "off", LIMIT_REFRESH: "off", LIMIT_SIGN_UP: "off", ...env };
    const server = servers.get(name) ?? startServer(file, { env: settings }).then(({ port }) => port);
    servers.set(name, server);
    return openSite(t, await browser.newContext(context), await server);
  };
}

const home = "/errors/token-expired";

async function openSite(t: TestContext, context: BrowserContext, serverPort: number): Promise<Site> {
  const network = await openNetwork(t, serverPort);
  t.after(() => context.close());
  const open = async (page: Page, path: string, { options = "" }: ClientPage): Promise<void> => {
    await page.goto(network.url + path);
    await page.evaluate(
      `import("/client.js").then(({ createClient }) => { globalThis.client = createClient(${options}); })`,
    );
  };
  return {
    ...network,
    context,
    tab: async (client = {}) => {
      const page = await context.newPage();
      if (client.clock) await page.clock.install();
      if (client.before !== undefined) await page.addInitScript(client.before);
      await open(page, home, client);
      return page;
    },
    reload: async (page, client = {}) => open(page, home, client),
    open: async (page, path) => open(page, path, {}),
  };
}

async function openNetwork(t: TestContext, serverPort: number): Promise<Pick<Site, "url" | "meet" | "seen" | "until">> {
  const troubles = new Map<string, Trouble[]>();
  const requests: Seen[] = [];
  const watchers = new Set<() => void>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "";
    const body = await bodyOf(request);
    const { cookie, authorization } = request.headers;
    const key = request.headers["idempotency-key"] as string | undefined;
    requests.push({ path, key, cookie, authorization, body: body.toString() });
    for (const look of watchers) look();
    const trouble = troubles.get(path)?.shift();
    if (trouble === "silence") return;
    if (trouble instanceof Promise) await trouble;
    if (typeof trouble === "object" && "status" in trouble) return answerInstead(response, trouble);
    const answer = await askServer(request, body, serverPort);
    if (typeof trouble === "object" && "answerAfter" in trouble) await trouble.answerAfter;
    passBack(answer, response, trouble);
  };
  const network = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  network.listen(0, "127.0.0.1");
  await once(network, "listening");
  t.after(() => {
    network.close();
    network.closeAllConnections();
  });
  const seen = (path: string): readonly Seen[] => requests.filter((request) => request.path === path);
  return {
    url: `http://localhost:${(network.address() as AddressInfo).port}`,
    meet: (path, ...more) => void troubles.set(path, [...(troubles.get(path) ?? []), ...more]),
    seen,
    until: async (path, count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => (seen(path).length >= count ? resolve() : undefined);
      watchers.add(look);
      look();
      await promise.finally(() => watchers.delete(look));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answerInstead(response: ServerResponse, instead: Extract<Trouble, { readonly status: number }>): void {
  const text = typeof instead.body === "string" ? instead.body : JSON.stringify(instead.body ?? {});
  response.writeHead(instead.status, { "content-type": "application/problem+json", ...instead.headers }).end(text);
}

type ServerAnswer = { readonly answer: IncomingMessage; readonly text: Buffer };

async function askServer({ method, url, headers }: IncomingMessage, body: Buffer, port: number): Promise<ServerAnswer> {
  const onward = httpRequest({ host: "127.0.0.1", port, method, path: url, headers, agent: false });
  onward.end(body);
  const [answer] = (await once(onward, "response")) as [IncomingMessage];
  return { answer, text: await bodyOf(answer) };
}

function passBack({ answer, text }: ServerAnswer, response: ServerResponse, trouble: Trouble | undefined): void {
  if (trouble === "lost") return void response.destroy();
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  if (trouble !== "broken") return void response.end(text);
  response.write(text.subarray(0, text.length / 2), () => response.destroy());
}
