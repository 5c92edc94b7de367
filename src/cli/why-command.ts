import { type Command, InvalidArgumentError } from "commander";
import { timestamp } from "../platform/clock.ts";
import { type ControlAnswer, askRunningServers } from "../platform/control-socket.ts";
import { findSharedDecision } from "../platform/counting.ts";
import type { Decision } from "../platform/http/decisions.ts";
import { StartError } from "../platform/start-error.ts";
import { shownText } from "../platform/http/shown-text.ts";
import { type ExitCode, type Run, type Terminal, columns, configOf } from "./terminal.ts";

const requestIdLengthMax = 128;

export function addWhyCommand(program: Command, terminal: Terminal, run: Run): void {
  program
    .command("why")
    .description(
      "Show the gates that a refused request passed and what decided it. Asks the running servers, and Redis.",
    )
    .argument("<request-id>", "request_id of the answer, also its X-Request-Id", parseRequestId)
    .option("--json", "answer in JSON")
    .action(run((requestId: string, options: { json?: true }) => why(requestId, options, terminal)));
}

function parseRequestId(text: string): string {
  if (text.length > 0 && text.length <= requestIdLengthMax) return text;
  throw new InvalidArgumentError(`It must have 1 to ${requestIdLengthMax} characters.`);
}

async function why(requestId: string, options: { json?: true }, terminal: Terminal): Promise<ExitCode> {
  const { decision, page } = await findDecision(requestId, terminal);
  if (options.json) terminal.out(JSON.stringify({ decision, page }));
  else for (const line of linesOf(decision, page)) terminal.out(shownText(line));
  return 0;
}

type Found = { readonly decision: Decision; readonly page: string };

async function findDecision(requestId: string, terminal: Terminal): Promise<Found> {
  const config = configOf(terminal);
  const { dataDirectory, publicUrl } = config;
  const shared = await findSharedDecision(config, requestId);
  if (shared !== undefined) return { decision: shared, page: `${publicUrl}/errors/${shared.code}` };
  if (dataDirectory === undefined) {
    throw new StartError(
      "A server with its database in memory cannot be asked from here: ask GET /admin/decisions/{request_id}.",
    );
  }
  const answers = await askRunningServers(dataDirectory, { ask: "why", requestId });
  if (answers.length === 0) {
    throw new StartError(
      `No server runs on ${dataDirectory}, and decisions live in its memory: start it and repeat the request.`,
    );
  }
  const found = answers.find(isFound);
  if (found !== undefined) return found;
  throw new StartError(
    `The running server does not remember ${shownText(requestId)}: it keeps its last 10,000 refusals; check the id.`,
  );
}

function isFound(answer: ControlAnswer): answer is Found {
  return answer.decision !== null && answer.page !== null;
}

function linesOf(decision: Decision, page: string): string[] {
  const gates = decision.gates.map((entry) => {
    return [entry.gate, entry.outcome, `${entry.durationMilliseconds.toFixed(2)} ms`, entry.saw];
  });
  const who = decision.accountId === null ? "nobody signed in" : `user ${decision.accountId}`;
  return [
    `${decision.method} ${decision.path} from ${decision.address}, ${who}, ${timestamp(decision.at)}`,
    "",
    ...columns([["GATE", "OUTCOME", "TOOK", "SAW"], ...gates]),
    "",
    `Decided by the gate "${decision.decidedBy}": ${decision.status} ${decision.code}`,
    `What to do: ${page}`,
  ];
}
