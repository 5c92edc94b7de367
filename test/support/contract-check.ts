import assert from "node:assert/strict";
import { Compile, type Validator } from "typebox/compile";

/** The part of an OpenAPI document that the check reads. */
export type OpenApi = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

type Operation = { readonly responses: Readonly<Record<string, OpenApiResponse>> };

type OpenApiResponse = {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
};

export type Answered = {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

export type ContractCheck = (answer: Answered) => void;

/**
 * Looks at every answer of every test: a status, a media type, a problem code or a body that the route's OpenAPI does
 * not list fails the test that got it. So do a missing security header and a leaked inside.
 */
export function createContractCheck(openApi: OpenApi): ContractCheck {
  const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  // Fixed words win over parameters, as in the router.
  operations.sort((a, b) => Number(a.path.includes("{")) - Number(b.path.includes("{")));
  const patterns = operations.map(({ path, ...rest }) => ({ ...rest, path, pattern: patternOf(path) }));
  const validators = new Map<object, Validator>();
  return (answer) => {
    checkEveryAnswer(answer);
    const path = (answer.url.split("?")[0] ?? "").replace(/(?<=.)\/$/, "");
    const known = patterns.filter(({ pattern }) => pattern.test(path));
    const method = answer.method === "HEAD" ? "GET" : answer.method;
    const fixed = known.find((one) => !one.path.includes("{"))?.path;
    const found = known.find((one) => one.method === method && (fixed === undefined || one.path === fixed));
    if (found) checkOperation(found.operation, answer, validators);
    else if (answer.status >= 400) checkProblem(answer);
  };
}

function patternOf(path: string): RegExp {
  const text = path.replace(/(?<=.)\/$/, "").replaceAll(/[.]/g, String.raw`\.`);
  return new RegExp(`^${text.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);
}

function checkEveryAnswer({ headers, status, text, method, url }: Answered): void {
  const name = `${method} ${url} ${status}`;
  // ASVS 3.4.4, 3.4.3, 3.4.5 (requirement 75)
  assert.equal(headers["x-content-type-options"], "nosniff", `${name} has no nosniff`);
  assert.match(
    headers["content-security-policy"] ?? "",
    /default-src 'none'.*frame-ancestors 'none'/,
    `${name} has no CSP`,
  );
  assert.equal(headers["referrer-policy"], "no-referrer", `${name} has no Referrer-Policy`);
  assert.equal(headers["x-powered-by"], undefined);
  assert.equal(headers["server"], undefined);
  // ASVS 16.5.1 (requirement 83): no stack, no SQL, no path of ours.
  assert.doesNotMatch(
    text,
    /\bat [\w.<>]+ \(|node_modules|SQLITE_|sqlite3?_|\/src\/platform\/|\$argon2/,
    `${name} shows its inside`,
  );
  if (status >= 400) assert.match(headers["content-type"] ?? "", /^application\/problem\+json; charset=utf-8$/, name);
}

function checkOperation(operation: Operation, answer: Answered, validators: Map<object, Validator>): void {
  const name = `${answer.method} ${answer.url}`;
  if (answer.status === 304) return;
  const listed = operation.responses[String(answer.status)];
  assert.ok(listed, `${name} answered ${answer.status}, which its OpenAPI does not list: ${answer.text.slice(0, 300)}`);
  if (answer.status >= 400) checkProblem(answer);
  if (answer.text === "") return;
  const mediaType = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const schema = listed.content?.[mediaType]?.schema;
  assert.ok(schema, `${name}: its OpenAPI does not list ${mediaType} for ${answer.status}`);
  if (!mediaType.endsWith("json")) return;
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  const body: unknown = JSON.parse(answer.text);
  assert.ok(
    validator.Check(body),
    `${name} ${answer.status}: ${JSON.stringify(validator.Errors(body))} ${answer.text.slice(0, 300)}`,
  );
}

// RFC 9457 §3.1 (requirement 70)
function checkProblem(answer: Answered): void {
  if (answer.method === "HEAD") return;
  const body = JSON.parse(answer.text) as Record<string, unknown>;
  assert.equal(body["status"], answer.status);
  for (const member of ["type", "title", "detail", "instance", "code", "request_id", "gate"]) {
    assert.equal(typeof body[member], "string", `${answer.method} ${answer.url}: the problem has no ${member}`);
  }
  assert.ok(String(body["type"]).endsWith(`/errors/${String(body["code"])}`));
  assert.equal(answer.headers["cache-control"], "no-store");
  if (answer.status === 401) assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer/);
  if (answer.status === 429 || answer.status === 503) assert.match(answer.headers["retry-after"] ?? "", /^[1-9]\d*$/);
  if (answer.status === 405) assert.ok(answer.headers["allow"]);
}
