import { connect } from "node:net";

export type Refreshed =
  | { readonly status: 200; readonly token: string; readonly access: string }
  | { readonly status: 401; readonly reason: string }
  | { readonly status: "no answer" };

const triesMax = 200;

/** What a client can do to a Tollgate with a refresh token, honest or not. */
export function createRefreshClient(url: string) {
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
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
      throw new Error(`${response.status} ${JSON.stringify(body)}: switch the limits of this server off for the proof`);
    } catch (error) {
      // The connection broke: the server was killed, before or after it had committed. Nobody can tell.
      if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
        return { status: "no answer" };
      throw error;
    }
  };

  /** Again and again with the same key, until an answer is there. */
  const refresh = async (token: string, key?: string): Promise<Refreshed> => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const answer = await refreshOnce(token, key);
      if (answer.status !== "no answer") return answer;
      await pause(50);
    }
    return { status: "no answer" };
  };

  return {
    refresh,
    signUp: async (email: string): Promise<string> => {
      for (let tries = 0; tries < triesMax; tries += 1) {
        const response = await post(
          "/users/",
          { email, password: "a proof of long enough words" },
          { "idempotency-key": email },
        ).catch(() => undefined);
        if (response?.status === 201) return ((await response.json()) as { refresh_token: string }).refresh_token;
        if (response && response.status < 500)
          throw new Error(`sign-up was answered ${response.status}: ${await response.text()}`);
        await pause(50);
      }
      throw new Error("nobody could sign up");
    },
    /** Sends the request whole, and leaves before the answer is here. */
    refreshAndLeave: async (token: string, key: string, waitMilliseconds: number): Promise<void> => {
      const { hostname, port, host } = new URL(url);
      const body = JSON.stringify({ refresh_token: token });
      const socket = connect(Number(port), hostname).on("error", () => undefined);
      const head = `POST /auth/refresh HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n`;
      await new Promise<void>((resolve) => {
        socket.on("close", () => resolve());
        socket.write(head + body, () => setTimeout(() => socket.destroy(), waitMilliseconds));
      });
    },
    isAlive: async (access: string): Promise<boolean> => {
      for (let tries = 0; tries < triesMax; tries += 1) {
        const response = await fetch(`${url}/users/me`, { headers: { authorization: `Bearer ${access}` } }).catch(
          () => undefined,
        );
        if (response && response.status < 500) return response.status === 200;
        await pause(50);
      }
      throw new Error("nobody answered");
    },
  };
}

export type RefreshClient = ReturnType<typeof createRefreshClient>;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
