export type Tokens = {
  access: string;
  /** Only with delivery "body". */
  refresh?: string;
  /** Milliseconds since the epoch: from then on it is refreshed before it is used. */
  freshUntil: number;
};

export type ClientOptions = {
  /** Origin of the server; that of the page by default. */
  baseUrl?: string;
  /** "cookie" (default): the refresh token is in a cookie that no script can read. "body": it is in memory. */
  delivery?: "cookie" | "body";
};

export type Client = {
  /** An access token that is good for a while yet; undefined when nobody is signed in. */
  token(): Promise<string | undefined>;
  /** The server's answer; what it says is for the caller to show. */
  signUp(email: string, password: string): Promise<Response>;
  signIn(email: string, password: string): Promise<Response>;
  /** Ends the session, here and in all tabs. */
  signOut(): Promise<void>;
  /** Like the browser's own, with the access token; refreshes and repeats once when the token is not good any more. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Called when somebody signs in or out, in whichever tab. Returns what stops it. */
  onChange(listener: (isSignedIn: boolean) => void): () => void;
  close(): void;
};

export declare function createClient(options?: ClientOptions): Client;
