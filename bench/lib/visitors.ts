import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { emailOf, password } from "./seed.ts";

/** How often a second each thing is done. Refreshes come by themselves: whoever asks with an old token gets a new one first. */
const rates = {
  me: 60,
  signUp: 0.5,
  signIn: 1,
  wrongPassword: 0.5,
  wrongToken: 5,
  overToken: 1,
  unknownPath: 5,
  signOut: 1,
  deleteAccount: 0.5,
} as const;
type Deed = keyof typeof rates;

/** Sign-ins a minute and sign-ups a minute: as many rows as these make. */
export const sessionsMadePerMinute = 60 * (rates.signIn + rates.signUp);

const tickMilliseconds = 100;
const atOnceMax = 100;
const tokenGoodMilliseconds = 45_000;
const tokenOverMilliseconds = 75_000;
const guestsMax = 200;
const accountsMax = 60;

type Visitor = {
  readonly token: string;
  readonly refreshToken: string;
  readonly tokenSince: number;
  /** Those who made an account delete it in the end. */
  readonly accountPath: string | undefined;
};

export type Visitors = {
  /** Answers so far, and those that were others than the deed should have. */
  readonly counts: () => {
    readonly answers: number;
    readonly unexpected: number;
    readonly examples: readonly string[];
  };
  readonly stop: () => Promise<void>;
};

/** People who sign up and in, look at themselves, refresh, sign out and err, from many addresses, at a steady pace. */
export function letVisitorsIn(url: string, accounts: number): Visitors {
  const crowd = new Crowd(url, accounts);
  const owed = new Map<Deed, number>();
  const timer = setInterval(() => {
    for (const deed of Object.keys(rates) as Deed[]) {
      let count = (owed.get(deed) ?? 0) + (rates[deed] * tickMilliseconds) / 1000;
      for (; count >= 1; count -= 1) crowd.begin(deed);
      owed.set(deed, count);
    }
  }, tickMilliseconds);
  return {
    counts: crowd.counts,
    stop: async () => {
      clearInterval(timer);
      await crowd.settled();
    },
  };
}

type Call = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly status: number;
  readonly token?: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  /** Over a connection of its own. */
  readonly isAlone?: boolean;
};

type Answer = { readonly body: Partial<Record<"token" | "refresh_token", string>>; readonly location: string };

class Crowd {
  readonly #url: string;
  readonly #accounts: number;
  // First in, first out: each connection is used again before the server ends it as idle.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16, scheduling: "fifo" });
  readonly #underWay = new Set<Promise<void>>();
  /** Signed in, the newest last; whoever does something is out of it meanwhile. */
  readonly #guests: Visitor[] = [];
  readonly #newcomers: Visitor[] = [];
  #former: Visitor | undefined;
  #serial = 0;
  #answers = 0;
  #unexpected = 0;
  readonly #examples: string[] = [];

  constructor(url: string, accounts: number) {
    this.#url = url;
    this.#accounts = accounts;
  }

  readonly counts = (): ReturnType<Visitors["counts"]> => ({
    answers: this.#answers,
    unexpected: this.#unexpected,
    examples: this.#examples,
  });

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  begin(deed: Deed): void {
    if (this.#underWay.size >= atOnceMax) return this.#note(`${deed}: ${atOnceMax} were under way`);
    const done = this.#do(deed)
      .catch((error: unknown) => this.#note(`${deed}: ${String(error)}`))
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  #note(what: string): void {
    this.#unexpected += 1;
    if (this.#examples.length < 10 && !this.#examples.includes(what)) this.#examples.push(what);
  }

  async #do(deed: Deed): Promise<void> {
    switch (deed) {
      case "me":
        return this.#withSomebody((somebody) => this.#lookAtOneself(somebody));
      case "signUp":
        return this.#signUp();
      case "signIn":
        return this.#signIn();
      case "wrongPassword":
        return void (await this.#ask({ ...logIn(this.#anyEmail(), "not the password of anybody"), status: 401 }));
      case "wrongToken":
        return void (await this.#ask({ method: "GET", path: "/users/me", status: 401, token: this.#unique("wrong") }));
      case "overToken":
        return this.#comeWithAnOldToken();
      case "unknownPath":
        return void (await this.#ask({ method: "GET", path: `/${this.#unique("path")}`, status: 404, isAlone: true }));
      case "signOut":
        return this.#signOut();
      case "deleteAccount":
        return this.#deleteAccount();
    }
  }

  async #signUp(): Promise<void> {
    const body = { email: `${this.#unique("visitor")}@example.com`, password };
    const idempotencyKey = this.#unique("key");
    const answer = await this.#ask({ method: "POST", path: "/users/", status: 201, body, idempotencyKey });
    this.#newcomers.push(visitorOf(answer, answer.location));
  }

  async #signIn(): Promise<void> {
    const answer = await this.#ask({ ...logIn(this.#anyEmail(), password), status: 200 });
    this.#guests.push(visitorOf(answer, undefined));
  }

  async #lookAtOneself(visitor: Visitor): Promise<Visitor> {
    const isOver = performance.now() - visitor.tokenSince > tokenGoodMilliseconds;
    const { token, ...rest } = isOver ? await this.#refresh(visitor) : visitor;
    await this.#ask({ method: "GET", path: "/users/me", status: 200, token });
    return { token, ...rest };
  }

  async #comeWithAnOldToken(): Promise<void> {
    const { token, tokenSince } = this.#former ?? { tokenSince: performance.now() };
    if (token === undefined || performance.now() - tokenSince < tokenOverMilliseconds) return;
    await this.#ask({ method: "GET", path: "/users/me", status: 401, token });
    this.#former = undefined;
  }

  async #refresh(visitor: Visitor): Promise<Visitor> {
    const { refreshToken, accountPath } = visitor;
    this.#former ??= visitor;
    const body = { refresh_token: refreshToken };
    const idempotencyKey = this.#unique("key");
    const answer = await this.#ask({ method: "POST", path: "/auth/refresh", status: 200, body, idempotencyKey });
    return visitorOf(answer, accountPath);
  }

  /** The one who has been in longest goes, once there are enough: some by signing out, the others without a word. */
  async #signOut(): Promise<void> {
    const visitor = this.#guests.length > guestsMax ? this.#guests.shift() : undefined;
    if (visitor === undefined) return;
    const { token } = await this.#lookAtOneself(visitor);
    await this.#ask({ method: "POST", path: "/auth/logout", status: 204, token });
    await this.#ask({ method: "GET", path: "/users/me", status: 401, token });
  }

  async #deleteAccount(): Promise<void> {
    const visitor = this.#newcomers.length > accountsMax ? this.#newcomers.shift() : undefined;
    if (visitor?.accountPath === undefined) return;
    const { token } = await this.#lookAtOneself(visitor);
    await this.#ask({ method: "DELETE", path: visitor.accountPath, status: 204, token });
  }

  async #withSomebody(work: (somebody: Visitor) => Promise<Visitor>): Promise<void> {
    const isGuest = Math.random() * (this.#guests.length + this.#newcomers.length) < this.#guests.length;
    const group = isGuest ? this.#guests : this.#newcomers;
    const index = Math.floor(Math.random() * group.length);
    const [somebody] = group.splice(index, 1);
    if (somebody !== undefined) group.splice(index, 0, await work(somebody));
  }

  #anyEmail(): string {
    return emailOf(Math.floor(Math.random() * this.#accounts));
  }

  #unique(what: string): string {
    this.#serial += 1;
    return `${what}-${this.#serial}`;
  }

  async #ask({ method, path, status, token, body, idempotencyKey, isAlone }: Call): Promise<Answer> {
    const sent = httpRequest(this.#url + path, {
      method,
      agent: isAlone ? false : this.#agent,
      headers: {
        "x-forwarded-for": anyAddress(),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { "content-type": "application/json" }),
        ...(idempotencyKey && { "idempotency-key": idempotencyKey }),
      },
    });
    sent.end(body && JSON.stringify(body));
    const [response] = await once(sent, "response");
    const answer = await text(response);
    this.#answers += 1;
    if (response.statusCode !== status) throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`);
    return { body: answer === "" ? {} : JSON.parse(answer), location: response.headers.location ?? "" };
  }
}

function logIn(email: string, given: string): Pick<Call, "method" | "path" | "body"> {
  return { method: "POST", path: "/auth/login", body: { email, password: given } };
}

function visitorOf({ body }: Answer, accountPath: string | undefined): Visitor {
  const { token = "", refresh_token: refreshToken = "" } = body;
  return { token, refreshToken, tokenSince: performance.now(), accountPath };
}

/** Of those for benchmarks (RFC 2544): 131,072. */
function anyAddress(): string {
  const byte = (count: number): number => Math.floor(Math.random() * count);
  return `198.${18 + byte(2)}.${byte(256)}.${byte(256)}`;
}
