/** A request that is shown as code. `{token}` in a header stands for the access token. */
export type CodeRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
};

/** A command for bash and every other POSIX shell: each value in single quotes, whatever is in it. */
export function asCurl({ method, url, headers, body }: CodeRequest): string {
  const parts = [
    "curl -i",
    ...(method === (body === undefined ? "GET" : "POST") ? [] : [method === "HEAD" ? "--head" : `-X ${method}`]),
    shellText(url),
    ...headers.map(([name, value]) => `-H ${shellText(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-raw ${shellText(body)}`]),
  ];
  return parts.join(" \\\n  ");
}

function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A module's code, for a browser or Node.js. */
export function asFetch({ method, url, headers, body }: CodeRequest): string {
  const members = [
    `  method: ${JSON.stringify(method)},`,
    ...(headers.length === 0 ? [] : [`  headers: ${namedValues(headers, "  ")},`]),
    ...(body === undefined ? [] : [`  body: ${JSON.stringify(body)},`]),
  ];
  return `const response = await fetch(${JSON.stringify(url)}, {\n${members.join("\n")}\n});\nconsole.log(response.status, await response.text());`;
}

/** A script for Python 3, with its standard library alone. */
export function asPython({ method, url, headers, body }: CodeRequest): string {
  const data = body === undefined ? "" : `    data=${JSON.stringify(body)}.encode(),\n`;
  const sent = headers.length === 0 ? "" : `    headers=${namedValues(headers, "    ")},\n`;
  return `import urllib.error
import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(url)},
    method=${JSON.stringify(method)},
${sent}${data})
try:
    response = urllib.request.urlopen(request)
except urllib.error.HTTPError as refusal:
    response = refusal
print(response.status, response.read().decode())`;
}

/** JavaScript and Python write such a list in the same words. */
function namedValues(headers: CodeRequest["headers"], indent: string): string {
  const lines = headers.map(([name, value]) => `${indent}  ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`);
  return `{\n${lines.join("")}${indent}}`;
}
