import { readReferenceFile } from "../../platform/http/web-files.ts";

/** A request as it was sent; secrets are told by words. */
export type MadeRequest = {
  readonly method: string;
  readonly path: string;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** What happened when the example of a problem was sent to a real server. */
export type MadeExample = {
  readonly before: readonly { readonly request: MadeRequest; readonly status: number }[];
  readonly request: MadeRequest;
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Readonly<Record<string, unknown>>;
  };
};

/** By code. A code that is new since the last `npm run reference` is not there. */
export type MadeExamples = Readonly<Record<string, MadeExample>>;

/** Where the server that made them thought it was. */
export const madeAt = "http://localhost:8000";

/** The examples as `npm run reference` left them. */
export function readMadeExamples(): MadeExamples {
  return JSON.parse(readReferenceFile("problem-examples.json")) as MadeExamples;
}
