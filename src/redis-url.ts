import { type Parsed, parseList } from "./setting-parsers.ts";

export type RedisAddress = {
  /** One, or some of a Cluster. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Always 0 in a Cluster. */
  readonly databaseIndex: number;
};

/**
 * `redis://` or `rediss://` (TLS), a password and a database if wanted. More nodes after commas are a Cluster's; they
 * may leave out what the first one says. undefined is none.
 */
export function parseRedisUrl(text: string): Parsed<RedisAddress | undefined> {
  if (text === "") return { value: undefined };
  const [scheme] = /^rediss?:\/\//i.exec(text) ?? [];
  const entries = parseList(text);
  if ("fault" in entries) return entries;
  const urls = entries.value.map((entry) => redisUrlOf(/^[a-z]+:\/\//i.test(entry) ? entry : `${scheme}${entry}`));
  const known = urls.filter((url) => url !== undefined);
  const [first] = known;
  if (scheme === undefined || first === undefined || known.length < urls.length) {
    return { fault: "must be redis:// or rediss://, a host and a port, or several of them, comma separated" };
  }
  const { protocol, username, password, pathname } = first;
  const isOdd = (url: URL): boolean =>
    url.protocol !== protocol || ![username, ""].includes(url.username) || ![password, ""].includes(url.password);
  if (known.some(isOdd)) return { fault: "must have the same scheme, user and password for all nodes" };
  if (known.length > 1 && known.some((url) => !["", "/", "/0"].includes(url.pathname))) {
    return { fault: "must name no database with several nodes: a Cluster has the database 0 alone" };
  }
  return {
    value: {
      nodes: known.map((url) => ({ host: url.hostname.replaceAll(/[[\]]/g, ""), port: Number(url.port || redisPort) })),
      tls: protocol === "rediss:",
      username: username === "" ? undefined : decodeURIComponent(username),
      password: password === "" ? undefined : decodeURIComponent(password),
      databaseIndex: Number(pathname.slice(1)),
    },
  };
}

const redisPort = 6379;

/** undefined when there is more or less in it than scheme, user, password, host, port and database. */
function redisUrlOf(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.search === "" && url.hash === "" && /^\/?\d{0,4}$/.test(url.pathname);
  const isEncoded = ![url.username, url.password].some((part) => /%(?![\da-f]{2})/i.test(part));
  const isHost = /^[a-z\d]([\w-]*\w)?(\.[a-z\d]([\w-]*\w)?)*$/i.test(url.hostname) || url.hostname.startsWith("[");
  return /^rediss?:$/.test(url.protocol) && isPlain && isEncoded && isHost && url.port !== "0" ? url : undefined;
}
