import { type Answer, api, ask, session, type Success } from "../server.ts";
import type { paths } from "../api-types.d.ts";
import { accountValues, type ThrowawayName, throwawayRoles } from "../learn/chapter-run.ts";
import type { As } from "./live-request.ts";

/** A throw-away account that a page plays. */
export type Person = {
  readonly token: string;
  readonly refresh_token: string;
  readonly id: number;
  readonly email: string;
  readonly password: string;
};

/** Who is played: `other` is one more user, for what one may not do to somebody else. */
export type Part = ThrowawayName;
const parts = Object.keys(throwawayRoles) as Part[];

type Made = Success<paths["/dev/accounts"]["post"]>;

/** A page's own accounts, made when first needed; the server deletes them after an hour. In development only. */
export class People {
  readonly #made = new Map<Part, Promise<Answer<Person>>>();

  /** The account that is played, made if there is none yet. */
  async get(part: Part): Promise<Answer<Person>> {
    const known = this.#made.get(part) ?? makePerson(part);
    this.#made.set(part, known);
    const answer = await known;
    if ("problem" in answer) this.#made.delete(part); // The next try asks again.
    return answer;
  }

  /** Whose token a request is sent with; undefined for nobody. */
  async tokenOf(as: As): Promise<Answer<string | undefined>> {
    if (as === "nobody") return { data: undefined };
    if (as === "me") return { data: await session.token().catch(() => undefined) };
    const answer = await this.get(as);
    return "data" in answer ? { data: answer.data.token } : answer;
  }

  /** The account is gone, or its session: the next one is another. */
  forget(as: As): void {
    const part = parts.find((one) => one === as);
    if (part) this.#made.delete(part);
  }
}

async function makePerson(part: Part): Promise<Answer<Person>> {
  const answer: Answer<Made> = await ask(api.POST("/dev/accounts", { body: throwawayRoles[part] }));
  return "problem" in answer ? answer : { data: accountValues(answer.data) as Person };
}
