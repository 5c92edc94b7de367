import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Awaitable } from "../awaitable.ts";
import type { Platform } from "../platform.ts";
import type { AccountRow } from "../database/tables.ts";
import { handle, noteHandled } from "./answers.ts";
import { isTrailShown } from "./gate-trail.ts";
import { gatesBeforeBody, gatesBeforeHandler, passGates } from "./gates.ts";
import type { GatedReply, GatedRequest, GuardedRoute, Passage } from "./gates.ts";
import { countAnswer, logRequest, noteLeaving } from "./request-log.ts";

/** A request that went as far as it could without Fastify. */
export type BegunRequest = {
  readonly passage: Passage;
  /** What the gates set so far. */
  readonly headers: Readonly<Record<string, string>>;
  /** The gates before the body are passed; throws what one of them refused with. */
  readonly passed: () => Promise<void>;
};

type DirectParts = {
  /** Those that are `ofAccountAlone`. */
  readonly routes: readonly GuardedRoute[];
  readonly begin: (request: GatedRequest, reply: GatedReply, route: GuardedRoute) => Passage;
  /** What every answer of these routes carries. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isStopping: () => boolean;
  /** The sockets of the requests under way. */
  readonly busy: WeakSet<Socket>;
  readonly onAnswered?: (request: GatedRequest, status: number) => void;
};

export type DirectAnswers = {
  /** Answers, at once or later, or lets `otherwise` do so. */
  readonly answerOr: (raw: IncomingMessage, response: ServerResponse, otherwise: RequestListener) => void;
  readonly begunOf: (raw: IncomingMessage) => BegunRequest | undefined;
};

/**
 * The way past Fastify, for what every page of every app asks: the same gates in the same order, and the same answer.
 * Fastify's own stations cost such a request more than all gates together.
 *
 * What is refused, or meets the server's stop, is taken up by Fastify where it is: no gate is passed twice.
 */
export function createDirectAnswers(platform: Platform, parts: DirectParts): DirectAnswers {
  const { secrets, config } = platform;
  const begun = new WeakMap<IncomingMessage, BegunRequest>();
  const always = Object.entries(parts.headers).flat();
  const byUrl = new Map<string, { readonly route: GuardedRoute; readonly texts: Texts }>();
  for (const route of parts.routes) byUrl.set(route.definition.url, { route, texts: new WeakMap() });

  function answerOr(raw: IncomingMessage, response: ServerResponse, otherwise: RequestListener): void {
    const asked = byUrl.get(raw.url ?? "");
    if (asked === undefined || raw.method !== "GET" || hasBody(raw) || parts.isStopping()) {
      return otherwise(raw, response);
    }
    const { route, texts } = asked;
    const request = requestOf(raw, secrets.uuid());
    const headers: Record<string, string> = {};
    const passage = parts.begin(request, { headers: (more) => Object.assign(headers, more) }, route);
    const handOver = (passed: BegunRequest["passed"]): void => {
      begun.set(raw, { passage, headers, passed });
      otherwise(raw, response);
    };
    const refuse = (error: unknown): void =>
      handOver(() => {
        throw error;
      });
    const goOn = (): void => {
      let text: string;
      try {
        void passGates(gatesBeforeHandler, passage); // Nothing there waits.
        text = textOf(passage, route, texts);
      } catch (error) {
        return refuse(error);
      }
      send(response, passage, { status: route.definition.success.status, headers, text });
    };
    let passed: Awaitable<void>;
    try {
      passed = passGates(gatesBeforeBody, passage);
    } catch (error) {
      return refuse(error);
    }
    if (!(passed instanceof Promise)) return goOn();
    const { socket } = raw;
    parts.busy.add(socket);
    const later = (then: () => void): void => {
      parts.busy.delete(socket);
      if (socket.destroyed) noteLeaving(platform, passage);
      else then();
    };
    void passed.then(
      () => later(() => (parts.isStopping() ? handOver(async () => undefined) : goOn())),
      (error: unknown) => later(() => refuse(error)),
    );
  }

  function send(response: ServerResponse, passage: Passage, { status, headers, text }: Answer): void {
    const { request, trail } = passage;
    const lines = [...always, "x-request-id", request.id, ...Object.entries(headers).flat()];
    if (isTrailShown(config)) lines.push("server-timing", trail.serverTiming());
    lines.push("content-type", "application/json; charset=utf-8", "content-length", String(Buffer.byteLength(text)));
    response.writeHead(status, lines).end(text);
    logRequest(platform, passage, status);
    countAnswer(platform, passage, status);
    parts.onAnswered?.(request, status);
  }

  return { answerOr, begunOf: (raw) => begun.get(raw) };
}

type Answer = {
  readonly status: number;
  /** What the gates set. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

type Texts = WeakMap<AccountRow, string>;

/** The body of the answer. A remembered row is frozen (see remembered-rows.ts): what was made of it is so as well. */
function textOf(passage: Passage, { definition }: GuardedRoute, texts: Texts): string {
  const { identity } = passage;
  const account = identity.kind === "caller" ? identity.caller.account : undefined;
  const known = account && texts.get(account);
  if (known !== undefined) {
    noteHandled(passage);
    return known;
  }
  const text = JSON.stringify(handle(passage, definition, undefined as never)); // It leaves its reply alone.
  if (account && Object.isFrozen(account)) texts.set(account, text);
  return text;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function requestOf(raw: IncomingMessage, id: string): GatedRequest {
  const { url = "", headers } = raw;
  return { id, raw, method: "GET", url, headers, params: {}, query: {}, body: undefined };
}
