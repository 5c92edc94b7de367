import { Type, type Static } from "typebox";
import type { ExampleRequest } from "../../contract/problem-entry.ts";
import { problems, type ProblemCode } from "../../contract/problems.ts";
import { exampleOf, settingsOf, type Guide } from "./problem-guide.ts";

const Headers = Type.Record(Type.String(), Type.String());

const ExampleRequestBody = Type.Object(
  {
    as: Type.Enum(["nobody", "user", "administrator"], {
      description: "Who sends it: with a token of such an account, or with none. A `token` in its answer replaces it.",
    }),
    times: Type.Integer({ description: "How often it is sent; the last answer counts." }),
    method: Type.String(),
    path: Type.String(),
    headers: Headers,
    body: Type.Optional(Type.String()),
  },
  {
    title: "ExampleRequest",
    description:
      "`{{user.id}}`, `{{user.email}}`, `{{user.password}}`, `{{user.token}}`, `{{user.refresh_token}}` and the same of `administrator` stand for what the accounts have; `{{random}}` for one new text in the whole example, `{{letters.17000}}` for so many letters.",
  },
);

const ProblemExampleBody = Type.Object(
  {
    before: Type.Array(ExampleRequestBody, { description: "What is sent first." }),
    request: ExampleRequestBody,
    answer: Type.Union(
      [
        Type.Object({ status: Type.Integer(), headers: Headers, body: Type.Record(Type.String(), Type.Unknown()) }),
        Type.Null(),
      ],
      { description: "What a test run got, without the headers that every answer has." },
    ),
    not_in_lab: Type.Union([Type.String(), Type.Null()], {
      description: "Why a page in a browser cannot send it; null when it can.",
    }),
  },
  { title: "ProblemExample" },
);

const SettingBody = Type.Object(
  {
    name: Type.String(),
    meaning: Type.String(),
    bounds: Type.String(),
    value: Type.Optional(Type.String({ description: "In development alone, as the two below." })),
    origin: Type.Optional(Type.Enum(["default", "environment"])),
    line: Type.Optional(Type.String({ description: "The command that starts the server with another value." })),
  },
  { title: "SettingBehindProblem" },
);

export const ProblemEntryBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    gate: Type.String(),
    what_happened: Type.String(),
    causes: Type.Array(Type.String()),
    cures: Type.Array(Type.String()),
    settings: Type.Array(SettingBody),
    example: ProblemExampleBody,
  },
  { title: "ProblemEntry" },
);
export type ProblemEntryBody = Static<typeof ProblemEntryBody>;

/** A problem of the catalogue for programs, the Lab above all. */
export function problemEntryBody(code: ProblemCode, guide: Guide): ProblemEntryBody {
  const { status, title, gate, detail, whatHappened, causes, cures } = problems[code];
  const type = `${guide.config.publicUrl}/errors/${code}`;
  const { example, made, notInLab } = exampleOf(code, guide);
  return {
    type,
    title,
    status,
    detail,
    code,
    gate,
    what_happened: whatHappened,
    causes: [...causes],
    cures: [...cures],
    settings: settingsOf(code, guide).map(({ inForce, ...setting }) => ({ ...setting, ...inForce })),
    example: {
      before: (example.before ?? []).map(requestBody),
      request: requestBody(example),
      answer: made === undefined ? null : { ...made.answer, body: { ...made.answer.body, type } },
      not_in_lab: notInLab ?? null,
    },
  };
}

function requestBody({
  as,
  times = 1,
  method,
  path,
  headers = {},
  body,
}: ExampleRequest): Static<typeof ExampleRequestBody> {
  return { as, times, method, path, headers, ...(body === undefined ? {} : { body }) };
}
