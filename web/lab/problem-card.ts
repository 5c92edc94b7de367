import type { paths } from "../api-types.d.ts";
import { referencePattern } from "../learn/chapter-format.ts";
import { type ChapterValues, fillIn } from "../learn/chapter-run.ts";
import type { People } from "../parts/people.ts";
import { type Answer, api, ask, type Success } from "../server.ts";
import type { Card, CardStep } from "./cards.ts";

type Example = Exclude<Success<paths["/errors/{code}"]["get"]>, string>["example"];
type ExampleRequest = Example["request"];

/** The example of a problem as a card; undefined if no problem is asked for, or the Lab cannot send its example. */
export async function problemCard(code: string | null, people: People): Promise<Answer<Card> | undefined> {
  if (code === null) return undefined;
  const answer = await ask(api.GET("/errors/{code}", { params: { path: { code } } }));
  if ("problem" in answer) return answer;
  if (typeof answer.data === "string") return undefined; // Its page, which was not asked for.
  const { status, example } = answer.data;
  if (example.not_in_lab !== null) return undefined;
  const values = await valuesFor(example, people);
  if ("problem" in values) return values;
  const step = (request: ExampleRequest): CardStep => asStep(request, values.data);
  const { request, as, times } = step(example.request);
  return { data: { status, as, times, before: example.before.map(step), request: () => request } };
}

/** What the references of an example stand for: accounts that are made for it, one new text, so many letters. */
async function valuesFor(example: Example, people: People): Promise<Answer<ChapterValues>> {
  const requests = [...example.before, example.request];
  const named = [...JSON.stringify(requests).matchAll(referencePattern)].map(([, path = ""]) => path);
  const values: Record<string, unknown> = { random: crypto.randomUUID().slice(0, 8) };
  for (const part of ["user", "administrator"] as const) {
    if (!named.some((path) => path.startsWith(`${part}.`))) continue;
    const person = await people.get(part);
    if ("problem" in person) return person;
    values[part] = person.data;
  }
  const counts = named.flatMap((path) => /^letters\.(\d{1,6})$/.exec(path)?.[1] ?? []);
  values["letters"] = Object.fromEntries(counts.map((count) => [count, "a".repeat(Number(count))]));
  return { data: values };
}

function asStep({ as, times, method, path, headers, body }: ExampleRequest, values: ChapterValues): CardStep {
  const filled = fillIn({ method, path, headers, ...(body === undefined ? {} : { body }) }, values);
  const lines = Object.entries(filled.headers).map(([name, value]) => `${name}: ${value}`);
  return { as, times, request: { method, path: filled.path, headers: lines.join("\n"), body: filled.body ?? "" } };
}
