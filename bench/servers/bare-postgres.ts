/** Node's own HTTP server that asks PostgreSQL for one row, by a prepared statement, and sends bytes of a file. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Pool } from "pg";

const { headers, body, databaseUrl, connections, text, values } = JSON.parse(
  readFileSync(process.argv[2] ?? "", "utf8"),
) as {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly databaseUrl: string;
  readonly connections: number;
  readonly text: string;
  /** Of its one parameter, taken in turn. */
  readonly values: readonly string[];
};
const pool = new Pool({ connectionString: databaseUrl, max: connections });
let count = 0;
createServer((_request, response) => {
  count += 1;
  pool.query({ name: "bare", text, values: [values[count % values.length]] }, (_error, result) => {
    response.writeHead(result.rows.length === 1 ? 200 : 500, headers);
    response.end(body);
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1");
