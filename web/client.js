// @ts-check
/** @import { Client, ClientOptions, Listener, SignedOutReason, Tokens } from "./client.d.ts" */

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
  /** @type {Set<Listener>} */
  const listeners = new Set();
  /** @type {Tokens | undefined} */
  let tokens;
  /** @type {Promise<unknown> | undefined} */
  let refreshing;
  let isKnown = false;
  let isDue = false;
  // An ended session: late news of it are none.
  let over = "";
  // Another tab may have used the key.
  let isShared = false;
  let timer = 0;
  let restUntil = 0;
  let stop = () => {};

  /** For what browsers may forbid. @param {() => any} action */
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return undefined;
    }
  };
  /** @type {BroadcastChannel | undefined} */
  let channel;
  const tell = (message = {}) => channel?.postMessage(message);

  const newKey = (age = 0) => `${1e9 + age}${crypto.randomUUID()}`;
  let key = newKey(1e9);
  const keep = (next = attempt(() => localStorage.getItem(name)) || key) => {
    key = next;
    if (delivery === "cookie") attempt(() => localStorage.setItem(name, key));
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
    [tokens, isKnown, isDue, isShared] = [next, true, false, false];
    stop();
    clearTimeout(timer);
    if (next)
      plan(Math.min(next.expires - Date.now(), next.expires_in * 1000) - earlyMilliseconds * (1 - Math.random() / 2));
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

  const open = () => {
    channel ??= attempt(() => new BroadcastChannel(name));
    if (!channel) return;
    channel.onmessage = ({ data: { ask, ended, reason, next, isOther, key: theirs } }) => {
      if (ask) isShared = true;
      if (ask && tokens && isKnown) tell({ next: tokens, key });
      if (ended) return end(reason, ended);
      const isNews =
        next &&
        next.session_id !== over &&
        (!tokens ||
          !isKnown ||
          (next.session_id === tokens.session_id ? next.refresh_count > tokens.refresh_count : isOther));
      // One under way stays: nobody knows with which tokens.
      const isOurs = theirs > key && (isShared || refreshing || !isNews);
      if (isNews) adopt(next);
      keep(isOurs ? key : theirs);
    };
  };
  const shut = () => {
    channel?.close();
    channel = undefined;
  };
  const onShow = () => {
    if (!isDue || document.hidden) return;
    open();
    renewSoon();
  };
  // News would end its place in the cache of pages.
  const onHide = () => {
    shut();
    [isKnown, isDue] = [false, true];
  };
  open();
  addEventListener("pagehide", onHide, { signal });
  addEventListener("pageshow", onShow, { signal });
  addEventListener("visibilitychange", onShow, { signal });

  const post = async (path = "", body = {}, key = newKey(), abort = new AbortController()) => {
    const response = await fetch(origin + path, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
      signal: AbortSignal.any([abort.signal, AbortSignal.timeout(answerMilliseconds)]),
    });
    const text = await response.text();
    return { response, text, answer: attempt(() => JSON.parse(text)) };
  };

  /** @param {any} answer */
  const accept = (answer) => {
    if (!isShared) keep(newKey(answer.refresh_count));
    const isOther = adopt({ ...answer, expires: Date.now() + answer.expires_in * 1000 });
    tell({ next: tokens, isOther, key });
  };

  const enter = async (path = "", body = {}) => {
    const { response, text, answer } = await post(path, { ...body, delivery });
    if (answer?.token) accept(answer);
    return new Response(text, response);
  };

  const pause = (milliseconds = 50) =>
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
      keep();
      tell({ ask: true, key });
      await pause();
      if (tokens !== used) return;
      if (delivery === "body" && !used) return adopt();
      if (performance.now() < restUntil) throw failure();
      const controller = new AbortController();
      stop = () => controller.abort();
      keep();
      const body = { delivery, refresh_token: used?.refresh_token };
      const asked = await post("/auth/refresh", body, key, controller).catch(() => {});
      if (tokens !== used) return;
      const { response, answer } = asked ?? {};
      if (answer?.token) return accept(answer);
      const status = response?.status ?? 500;
      if (status === 204) return end("unknown");
      if (answer?.code === "refresh-refused") {
        reason ??= answer.reason;
        if (answer.reason !== "reused") return end(reason);
        // A theft: "revoked" is next. A late copy: there are news.
        if (tries === triesMax) return adopt(undefined, reason);
        continue;
      }
      const after = Number(response?.headers.get("retry-after"));
      const seconds = after || 0.1 * 2 ** tries;
      const isFinal = status > 299 && status < 500 && status !== 429;
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
    if (response.status !== 401 || !response.headers.get("www-authenticate")?.includes("invalid_token"))
      return response;
    if (tokens?.token === access) await refresh();
    return tokens ? send(tokens.token) : response;
  };

  return {
    token,
    signUp: (email, password) => enter("/users/", { email, password }),
    signIn: (email, password, more) => enter("/auth/login", { email, password, ...more }),
    signInByMail: (proof) => enter("/auth/magic/complete", proof),
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
      shut();
    },
  };
}
