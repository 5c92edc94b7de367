import { type Answer, api, ask, session, type Success } from "../server.ts";
import type { paths } from "../api-types.d.ts";
import type { As } from "./lab-request.ts";

/** A throw-away account that the Lab plays. */
export type Person = {
  readonly token: string;
  readonly id: number;
  readonly email: string;
  readonly password: string;
};

type Made = Success<paths["/dev/accounts"]["post"]>;

/** The Lab's own accounts, made when first needed; the server deletes them after an hour. */
export class People {
  readonly #made = new Map<As, Promise<Answer<Person>>>();

  /** The account that is played, made if there is none yet. */
  async get(as: "user" | "administrator"): Promise<Answer<Person>> {
    const known = this.#made.get(as) ?? makePerson(as);
    this.#made.set(as, known);
    const answer = await known;
    if ("problem" in answer) this.#made.delete(as); // The next try asks again.
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
    this.#made.delete(as);
  }
}

async function makePerson(as: "user" | "administrator"): Promise<Answer<Person>> {
  const body = { role: as === "user" ? "user" : "admin" } as const;
  const answer: Answer<Made> = await ask(api.POST("/dev/accounts", { body }));
  if ("problem" in answer) return answer;
  const { token, user, password } = answer.data;
  return { data: { token, id: user.id, email: user.email, password } };
}
