// @ts-check
/** @import { Client, ClientOptions, Tokens } from "./client.d.ts" */

const earlySeconds = 60;
const triesMax = 5;

/**
 * Keeps a browser signed in: tokens in memory only, refreshed ahead of time and once after a 401, shared between tabs.
 * See docs/client.md.
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 */
export function createClient({ baseUrl = "", delivery = "cookie" } = {}) {
  const channel = new BroadcastChannel(`tollgate ${baseUrl}`);
  const keyName = `tollgate refresh key ${baseUrl}`;
  /** @type {Set<(isSignedIn: boolean) => void>} */
  const listeners = new Set();
  /** @type {Tokens | undefined} */
  let tokens;
  // With a cookie a new page does not know yet whether somebody is signed in: the first refresh tells.
  let isKnown = delivery === "body";
  /** @type {Promise<void> | undefined} */
  let refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {Tokens | undefined} next @param {boolean} [isOwn] */
  const adopt = (next, isOwn = true) => {
    const wasSignedIn = tokens !== undefined;
    [tokens, isKnown] = [next, true];
    clearTimeout(timer);
    if (next)
      timer = setTimeout(() => void refresh().catch(() => undefined), Math.max(1000, next.freshUntil - Date.now()));
    if (isOwn) channel.postMessage({ tokens: next });
    if (wasSignedIn !== (next !== undefined)) for (const listener of listeners) listener(next !== undefined);
  };

  channel.onmessage = ({ data }) => {
    if (data.ask) {
      if (tokens) channel.postMessage({ tokens });
    } else if (!data.tokens || !tokens || data.tokens.freshUntil > tokens.freshUntil) adopt(data.tokens, false);
  };
  channel.postMessage({ ask: true });

  /** @param {string} path @param {object | undefined} body @param {Record<string, string>} [headers] */
  const post = (path, body, headers = {}) =>
    fetch(baseUrl + path, {
      method: "POST",
      headers: body ? { "content-type": "application/json", ...headers } : headers,
      body: body ? JSON.stringify(body) : null,
    });

  /** @param {Response} response */
  const accept = async (response) => {
    const body = await response.json();
    const freshUntil = Date.now() + Math.max(body.expires_in / 2, body.expires_in - earlySeconds) * 1000;
    adopt({ access: body.token, refresh: body.refresh_token, freshUntil });
  };

  /** @param {string} path @param {string} email @param {string} password */
  const enter = async (path, email, password) => {
    const response = await post(path, { email, password, delivery });
    if (response.ok) await accept(response.clone());
    return response;
  };

  // The key is chosen before the request and kept until an answer is here. If the answer gets lost, or the page is
  // reloaded while it is on its way, the same key asks for the same tokens again. It is no secret.
  const refreshKey = () => {
    const key = localStorage.getItem(keyName) ?? crypto.randomUUID();
    localStorage.setItem(keyName, key);
    return key;
  };

  const refresh = () => (refreshing ??= refreshNow().finally(() => (refreshing = undefined)));

  const refreshNow = async () => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const used = tokens;
      const key = refreshKey();
      const body = used?.refresh ? { delivery, refresh_token: used.refresh } : { delivery };
      const response = await post("/auth/refresh", body, { "idempotency-key": key }).catch(() => undefined);
      if (response?.ok) {
        await accept(response);
        if (localStorage.getItem(keyName) === key) localStorage.removeItem(keyName);
        return;
      }
      if (response?.status === 401 || response?.status === 422) {
        localStorage.removeItem(keyName);
        // Another tab may have got new tokens while this one asked with old ones.
        if (tokens === used) adopt(undefined);
        return;
      }
      const seconds = Number(response?.headers.get("retry-after")) || 0.2 * 2 ** tries;
      await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 5) * 1000));
    }
    throw new TypeError("Tollgate did not answer; the session is kept.");
  };

  const token = async () => {
    if (isKnown ? tokens && Date.now() >= tokens.freshUntil : true) await refresh();
    return tokens?.access;
  };

  return {
    token,
    signUp: (email, password) => enter("/users/", email, password),
    signIn: (email, password) => enter("/auth/login", email, password),
    signOut: async () => {
      const access = await token().catch(() => undefined);
      if (access) await post("/auth/logout", undefined, { authorization: `Bearer ${access}` });
      adopt(undefined);
    },
    fetch: async (input, init) => {
      /** @param {string | undefined} access */
      const send = (access) => {
        const request = new Request(input instanceof Request ? input.clone() : input, init);
        if (access) request.headers.set("authorization", `Bearer ${access}`);
        return fetch(request);
      };
      const access = await token();
      const response = await send(access);
      if (response.status !== 401 || !response.headers.get("www-authenticate")?.includes("invalid_token"))
        return response;
      if (tokens?.access === access) await refresh();
      return tokens ? send(tokens.access) : response;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      clearTimeout(timer);
      channel.close();
    },
  };
}
