/** Node's own HTTP server that sends the bytes and headers of the file it is given, and does nothing else. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const answer = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as {
  readonly headers: Record<string, string>;
  readonly body: string;
};
createServer((_request, response) => {
  response.writeHead(200, answer.headers);
  response.end(answer.body);
}).listen(Number(process.env["PORT"]), "127.0.0.1");
