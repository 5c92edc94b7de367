// @ts-check
/** @import { Client, ClientOptions, SignedOutReason, Tokens } from "./client.d.ts" */

const listenMilliseconds = 100;
const answerMilliseconds = 10_000;
const earlyMilliseconds = 30_000;
const patienceSeconds = 10;
const triesMax = 5;

/**
 * Keeps a browser signed in, in all its tabs. How and why: docs/client.md.
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 */
export function createClient({ baseUrl = location.origin, delivery = "cookie" } = {}) {
  const { origin } = new URL(baseUrl);
  const name = `tollgate 1 ${delivery} ${origin}`;
  const closing = new AbortController();
  const { signal } = closing;
  /** @type {Set<Parameters<Client["onChange"]>[0]>} */
  const listeners = new Set();
  /** @type {Tokens | undefined} */
  let tokens;
  /** @type {Promise<unknown> | undefined} */
  let refreshing;
  // Another tab knows, or the first refresh tells.
  let isKnown = false;
  // Not told by the clock, which can be set back.
  let isDue = false;
  // A session that ended: late news of it are none.
  let over = "";
  const firstKey = crypto.randomUUID();
  let timer = 0;
  let restUntil = 0;
  // Ends what a refresh waits for.
  let stop = () => {};

  /** For what browsers may forbid. @template T @param {() => T} action */
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return undefined;
    }
  };
  const channel = attempt(() => new BroadcastChannel(name));
  const tell = (message = {}) => signal.aborted || channel?.postMessage(message);

  // No secret: a page loaded anew asks with the same one.
  const keep = (key = "") => {
    if (delivery === "cookie") attempt(() => localStorage.setItem(name, key));
    return key;
  };

  const plan = (milliseconds = earlyMilliseconds) => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(due, Math.max(1000, milliseconds));
  };
  const renewSoon = () => void refresh().catch(() => plan());
  // A page that nobody sees keeps no session alive by itself.
  const due = () => {
    isDue = true;
    if (!document.hidden) renewSoon();
  };

  /** @param {Tokens} [next] @param {SignedOutReason} [reason] */
  const adopt = (next, reason) => {
    const isOther = tokens?.session_id !== next?.session_id;
    [tokens, isKnown, isDue] = [next, true, false];
    stop();
    clearTimeout(timer);
    if (next) {
      keep(next.key);
      plan(next.expires - earlyMilliseconds - Date.now());
    }
    if (isOther) for (const listener of listeners) queueMicrotask(() => listener(!!next, reason));
    return isOther;
  };

  /** @param {SignedOutReason} [reason] */
  const end = (reason, session = tokens?.session_id) => {
    over = session ?? over;
    if (tokens?.session_id !== session) return;
    adopt(undefined, reason);
    tell({ ended: session, reason });
  };

  if (channel)
    channel.onmessage = ({ data: { ask, ended, reason, next, isOther } }) => {
      if (ask && tokens && isKnown) tell({ next: tokens });
      if (ended) end(reason, ended);
      if (!next || next.session_id === over) return;
      const isSame = next.session_id === tokens?.session_id;
      if (!tokens || !isKnown || (isSame ? next.refresh_count > tokens.refresh_count : isOther)) adopt(next);
      // Two tabs got the same at once: all take the smaller key.
      else if (isSame && next.refresh_count === tokens.refresh_count && next.key < tokens.key)
        tokens.key = keep(next.key);
    };
  // Nothing is heard in the browser's cache of pages.
  addEventListener("pagehide", () => ([isKnown, isDue] = [false, true]), { signal });
  for (const shown of ["pageshow", "visibilitychange"]) addEventListener(shown, () => isDue && due(), { signal });

  // An answer counts when all of it is here.
  const post = async (path = "", body = {}, headers = {}, controller = new AbortController()) => {
    const late = setTimeout(() => controller.abort(), answerMilliseconds);
    try {
      const response = await fetch(origin + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        signal: controller.signal,
      });
      const text = await response.clone().text();
      return { response, answer: attempt(() => JSON.parse(text)) };
    } finally {
      clearTimeout(late);
    }
  };

  /** @param {any} answer */
  const accept = (answer) => {
    const isOther = adopt({ ...answer, key: crypto.randomUUID(), expires: Date.now() + answer.expires_in * 1000 });
    tell({ next: tokens, isOther });
  };

  const enter = async (path = "", email = "", password = "") => {
    const { response, answer } = await post(path, { email, password, delivery });
    if (response.ok) accept(answer);
    return response;
  };

  // Until the time is over, or there are news.
  const pause = (milliseconds = listenMilliseconds) =>
    new Promise((resolve) => {
      stop = () => resolve(undefined);
      setTimeout(stop, milliseconds);
    });

  /** @param {Response} [cause] */
  const failure = (cause) => new Error("Tollgate: try again later", { cause });

  const refresh = () => (refreshing ??= renew().finally(() => (refreshing = undefined)));

  const renew = async () => {
    const used = tokens;
    /** @type {SignedOutReason | undefined} */
    let reason;
    for (let tries = 1; ; tries += 1) {
      tell({ ask: true });
      await pause();
      if (tokens !== used) return;
      if (delivery === "body" && !used) return adopt();
      if (performance.now() < restUntil) throw failure();
      const controller = new AbortController();
      stop = () => controller.abort();
      const key = keep(attempt(() => localStorage.getItem(name)) || used?.key || firstKey);
      const body = { delivery, refresh_token: used?.refresh_token };
      const asked = await post("/auth/refresh", body, { "idempotency-key": key }, controller).catch(() => {});
      if (tokens !== used) return;
      const { response, answer } = asked ?? {};
      if (answer?.token) return accept(answer);
      if (response?.status === 204) return end("unknown");
      if (answer?.code === "refresh-refused") {
        reason ??= answer.reason;
        if (answer.reason !== "reused") return end(reason);
        // Stolen: the next answer is "revoked". A late copy: there are news.
        if (tries === triesMax) return adopt(undefined, reason);
        continue;
      }
      const after = Number(response?.headers.get("retry-after"));
      const seconds = after || 0.1 * 2 ** tries;
      const isFinal = response && !response.ok && response.status < 500 && response.status !== 429;
      if (isFinal || tries === triesMax || seconds > patienceSeconds) {
        restUntil = performance.now() + after * 1000;
        throw failure(response);
      }
      await pause(seconds * 1000);
    }
  };

  const token = async () => {
    if (!isKnown || (tokens && tokens.expires - Date.now() < answerMilliseconds)) await refresh();
    else if (isDue) renewSoon();
    return tokens?.token;
  };

  /** @type {Client["fetch"]} */
  const fetchWithToken = async (input, init) => {
    const request = new Request(input, init);
    if (![origin, location.origin].includes(new URL(request.url).origin)) return fetch(request);
    const send = (access = "") => {
      const copy = request.clone();
      if (access) copy.headers.set("authorization", `Bearer ${access}`);
      return fetch(copy);
    };
    const access = await token();
    const response = await send(access);
    if (!access || response.status !== 401 || !response.headers.get("www-authenticate")?.includes("invalid_token"))
      return response;
    if (tokens?.token === access) await refresh();
    return tokens ? send(tokens.token) : response;
  };

  return {
    token,
    signUp: (email, password) => enter("/users/", email, password),
    signIn: (email, password) => enter("/auth/login", email, password),
    signOut: async () => {
      if (!(await token())) return;
      const session = tokens?.session_id;
      const signal = AbortSignal.timeout(answerMilliseconds);
      const response = await fetchWithToken(`${origin}/auth/logout`, { method: "POST", signal });
      if (!response.ok && tokens) throw failure(response);
      end("signed-out", session);
    },
    fetch: fetchWithToken,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      closing.abort();
      clearTimeout(timer);
      channel?.close();
    },
  };
}
