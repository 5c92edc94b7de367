/** What a sign-in or a refresh gave. Tabs tell each other. */
export type Tokens = {
  /** The access token. */
  token: string;
  /** Only with delivery "body". */
  refresh_token?: string;
  session_id: string;
  /** How often the server has refreshed the session: which of two is newer. */
  refresh_count: number;
  /** Seconds that the access token was good for when it came, */
  expires_in: number;
  /** and when it expires, in milliseconds since the epoch. */
  expires: number;
};

/** Why nobody is signed in any more: "signed-out" by the person, the others by the server (see docs/client.md). */
export type SignedOutReason = "signed-out" | "expired" | "revoked" | "reused" | "unknown";

export type Listener = (isSignedIn: boolean, reason?: SignedOutReason) => void;

export type ClientOptions = {
  /** Origin of the server; that of the page by default. */
  baseUrl?: string;
  /** "cookie" (default): the refresh token is in a cookie that no script can read. "body": it is in memory. */
  delivery?: "cookie" | "body";
};

export type Client = {
  /**
   * An access token that is good for a while yet; undefined when nobody is signed in. Rejects when the server cannot
   * say: the session is kept, and the error's `cause` is the server's answer, if there was one.
   */
  token(): Promise<string | undefined>;
  /** The server's answer; what it says is for the caller to show. A sign-up that is answered 202 signs nobody in yet. */
  signUp(email: string, password: string): Promise<Response>;
  /** `more` goes along: after the problem `password-change-required`, the next password. */
  signIn(email: string, password: string, more?: { new_password?: string }): Promise<Response>;
  /** With what came by mail: the token of its link, or its code with the flow of the request for it. */
  signInByMail(proof: { token: string } | { flow: string; code: string }): Promise<Response>;
  /** Ends the session, here and in all tabs. Rejects when the server did not end it: then it goes on. */
  signOut(): Promise<void>;
  /**
   * Like the browser's own, with the access token; refreshes and repeats once when the token is not good any more.
   * Only the origins of the page and of the server get the token.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Called when somebody signs in, or out, or the session is over, in whichever tab; also when it is somebody else who
   * is signed in now. Returns what stops it.
   */
  onChange(listener: Listener): () => void;
  /** Hears, tells and plans nothing any more. What is under way is finished. */
  close(): void;
};

export declare function createClient(options?: ClientOptions): Client;
