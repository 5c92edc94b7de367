import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export type Refreshed =
  | { readonly status: 200; readonly token: string; readonly access: string }
  | { readonly status: 401; readonly reason: string }
  | { readonly status: "no answer" };

/** A server that was killed is back long before. */
const patienceMilliseconds = 60_000;
const retryMilliseconds = 50;
const answerMillisecondsMax = 20_000;

const limitsOff = "the proof needs LIMIT_REFRESH, LIMIT_SIGN_UP and LIMIT_API off on that server.";

/** The server cannot be proved as it is set up; the message says why. */
export class ProofImpossible extends Error {}

/** What a client can do to a Tollgate with a refresh token, honest or not. */
export function createRefreshClient(baseUrl: string) {
  const url = baseUrl.replace(/\/+$/, "");
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMillisecondsMax),
    });

  const refreshOnce = async (token: string, key?: string): Promise<Refreshed> => {
    try {
      const response = await post(
        "/auth/refresh",
        { refresh_token: token },
        key === undefined ? {} : { "idempotency-key": key },
      );
      const body = (await response.json()) as { token: string; refresh_token: string; reason: string };
      if (response.status === 200) return { status: 200, token: body.refresh_token, access: body.token };
      if (response.status === 401) return { status: 401, reason: body.reason };
      if (response.status === 503) return { status: "no answer" };
      throw new ProofImpossible(`a refresh was answered ${response.status} ${JSON.stringify(body)}: ${limitsOff}`);
    } catch (error) {
      // The connection broke: the server was killed, before or after it had committed. Nobody can tell.
      if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
        return { status: "no answer" };
      throw error;
    }
  };

  /** Again and again with the same key, until an answer is there. */
  const refresh = async (token: string, key?: string): Promise<Refreshed> => {
    const refreshed = await untilAnswered(async () => {
      const answer = await refreshOnce(token, key);
      return answer.status === "no answer" ? undefined : answer;
    });
    return refreshed ?? { status: "no answer" };
  };

  return {
    refresh,
    signUp: async (email: string): Promise<string> => {
      const body = { email, password: "a proof of long enough words" };
      const token = await untilAnswered(async () => {
        const response = await post("/users/", body, { "idempotency-key": email }).catch(() => undefined);
        if (response?.status === 201) return ((await response.json()) as { refresh_token: string }).refresh_token;
        if (response?.status === 429) throw new ProofImpossible(`a sign-up was answered 429: ${limitsOff}`);
        if (response && response.status < 500)
          throw new ProofImpossible(`a sign-up was answered ${response.status}: ${await response.text()}`);
        return undefined;
      });
      if (token === undefined) throw new ProofImpossible(`nobody could sign up at ${url}: it does not answer.`);
      return token;
    },
    /** Sends the request whole, and leaves before the answer is here. */
    refreshAndLeave: async (token: string, key: string, waitMilliseconds: number): Promise<void> => {
      const send = url.startsWith("https:") ? httpsRequest : httpRequest;
      const body = JSON.stringify({ refresh_token: token });
      const headers = { "content-type": "application/json", "content-length": body.length, "idempotency-key": key };
      const signal = AbortSignal.timeout(answerMillisecondsMax);
      await new Promise<void>((resolve) => {
        const request = send(`${url}/auth/refresh`, { method: "POST", headers, agent: false, signal });
        request.on("error", () => undefined).on("close", () => resolve());
        request.end(body, () => setTimeout(() => request.destroy(), waitMilliseconds));
      });
    },
    isAlive: async (access: string): Promise<boolean> => {
      const status = await untilAnswered(async () => {
        const response = await fetch(`${url}/users/me`, {
          headers: { authorization: `Bearer ${access}` },
          signal: AbortSignal.timeout(answerMillisecondsMax),
        }).catch(() => undefined);
        return response && response.status < 500 ? response.status : undefined;
      });
      if (status === undefined) throw new ProofImpossible(`${url} does not answer.`);
      return status === 200;
    },
  };
}

export type RefreshClient = ReturnType<typeof createRefreshClient>;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** `undefined` when there was no answer for a minute. */
async function untilAnswered<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + patienceMilliseconds;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(retryMilliseconds);
  }
  return undefined;
}
