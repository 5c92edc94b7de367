import { useEffect, useRef, useState } from "preact/hooks";
import { HeaderList } from "./answer-view.tsx";
import { sendRequest } from "../parts/send-request.ts";
import { mostInAnyWindow, type Shot, underFixedWindow } from "./windows.ts";
import { windowWords as words } from "./window-words.ts";

type Limit = { readonly quota: number; readonly windowSeconds: number };

const usual: Limit = { quota: 5, windowSeconds: 60 };
const shotsMax = 200;
const told = ["ratelimit-policy", "ratelimit", "retry-after"];
const clientId = `lab-window-${crypto.randomUUID().slice(0, 8)}`;
/** The fixed window's first border lies so long after the first shot: between the two bursts. */
const borderMilliseconds = 1_000;

/** The window of `/users/limited` drawn on a time line, and the same requests under a fixed one. */
export function WindowInstrument() {
  const [shots, setShots] = useState<readonly Shot[]>([]);
  const [limit, setLimit] = useState(usual);
  const [headers, setHeaders] = useState<readonly (readonly [string, string])[]>([]);
  const [isBusy, setIsBusy] = useState(false);
  const firstAt = useRef(0);
  const now = useNow(shots.length > 0);

  const fire = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      const at = performance.now();
      const path = `/users/limited?client_id=${clientId}`;
      const answer = await sendRequest({ method: "GET", path, headers: "", body: "" }, undefined).catch(
        () => undefined,
      );
      if (answer === undefined) return;
      if (firstAt.current === 0) firstAt.current = at;
      setLimit(readPolicy(answer.headers) ?? usual);
      setHeaders(answer.headers.filter(([name]) => told.includes(name)));
      setShots((before) => [...before, { at, accepted: answer.status === 200 }].slice(-shotsMax));
    }
  };
  const busily = async (run: () => Promise<void>): Promise<void> => {
    setIsBusy(true);
    await run();
    setIsBusy(false);
  };
  const aroundBorder = async (): Promise<void> => {
    firstAt.current = performance.now();
    await fire(5);
    await new Promise((resolve) => {
      setTimeout(resolve, 2_000);
    });
    await fire(5);
  };
  const windowMilliseconds = limit.windowSeconds * 1000;
  const firstBorder = firstAt.current + borderMilliseconds;
  const fixed = underFixedWindow(shots, { quota: limit.quota, windowMilliseconds, firstBorder });
  return (
    <section class="panel" aria-labelledby="window-title">
      <h2 id="window-title">{words.title}</h2>
      <p>{words.lead}</p>
      <p class="actions">
        <button type="button" disabled={isBusy} onClick={() => void busily(() => fire(1))}>
          {words.fireOne}
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void busily(() => fire(6))}>
          {words.fireSix}
        </button>
        <button type="button" disabled={isBusy} onClick={() => void busily(aroundBorder)}>
          {words.fireBorder}
        </button>
      </p>
      <TimeLine title={words.sliding} shots={shots} limit={limit} now={now} />
      <TimeLine title={words.fixed} shots={fixed} limit={limit} now={now} border={firstBorder} />
      <p class="quiet">{words.why}</p>
      {headers.length > 0 ? <h3>{words.last}</h3> : null}
      <HeaderList headers={headers} />
      <ShotList shots={shots} now={now} windowMilliseconds={windowMilliseconds} />
    </section>
  );
}

/** The time by a clock that nobody sets back, four times a second while there is something to see. */
function useNow(isNeeded: boolean): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    if (!isNeeded) return;
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return now;
}

/** `"limited";q=5;w=60` (draft-ietf-httpapi-ratelimit-headers). */
function readPolicy(headers: readonly (readonly [string, string])[]): Limit | undefined {
  const policy = headers.find(([name]) => name === "ratelimit-policy")?.[1] ?? "";
  const [quota, seconds] = [/;q=(\d+)/.exec(policy)?.[1], /;w=(\d+)/.exec(policy)?.[1]];
  return quota && seconds ? { quota: Number(quota), windowSeconds: Number(seconds) } : undefined;
}

type TimeLineProps = {
  readonly title: string;
  readonly shots: readonly Shot[];
  readonly limit: Limit;
  readonly now: number;
  /** Where the fixed windows begin anew. */
  readonly border?: number;
};

/** One and a quarter windows, the newest at the right. */
const [width, height, windowWidth] = [1000, 150, 800];
const radius = 8;
/** Shots of one moment stand one above the other, so that all can be counted. */
const [groundY, stackStep, stackMax] = [110, 19, 6];

function TimeLine({ title, shots, limit, now, border }: TimeLineProps) {
  const windowMilliseconds = limit.windowSeconds * 1000;
  const placeOf = (at: number): number => width - ((Math.max(now, at) - at) / windowMilliseconds) * windowWidth;
  const most = mostInAnyWindow(shots, windowMilliseconds);
  const borders = border === undefined || shots.length === 0 ? [] : bordersUpTo(border, windowMilliseconds, now);
  return (
    <figure class="time-line">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}. ${countWords(shots, most, limit)}`}>
        {border === undefined ? (
          <rect class="window-span" x={width - windowWidth} y={4} width={windowWidth} height={groundY + 8} rx={8} />
        ) : null}
        {borders.map((at) => (
          <line key={at} class="window-border" x1={placeOf(at)} x2={placeOf(at)} y1={4} y2={groundY + 12} />
        ))}
        {stacked(shots.filter(({ at }) => placeOf(at) > 0).map((shot) => ({ ...shot, x: placeOf(shot.at) }))).map(
          ({ at, accepted, x, level }) => (
            <circle
              key={at}
              class={accepted ? "shot" : "shot refused"}
              cx={Math.min(x, width - radius - 2)}
              cy={groundY - level * stackStep}
              r={radius}
            />
          ),
        )}
        <text x={width - windowWidth} y={height - 6}>
          {words.secondsAgo(limit.windowSeconds)}
        </text>
        <text x={width} y={height - 6} text-anchor="end">
          {words.now}
        </text>
      </svg>
      <p class={most > limit.quota ? "too-many" : "quiet"}>{countWords(shots, most, limit)}</p>
    </figure>
  );
}

type Placed = Shot & { readonly x: number };

/** Each shot with its level: one above those that it would cover. */
function stacked(shots: readonly Placed[]): readonly (Placed & { readonly level: number })[] {
  let [groundX, level] = [Number.NEGATIVE_INFINITY, 0];
  return shots.map((shot) => {
    const isBeside = shot.x - groundX > 2 * radius;
    [groundX, level] = isBeside ? [shot.x, 0] : [groundX, (level + 1) % stackMax];
    return { ...shot, level };
  });
}

function countWords(shots: readonly Shot[], most: number, { quota, windowSeconds }: Limit): string {
  return shots.length === 0 ? words.empty : words.most(most, quota, windowSeconds);
}

function bordersUpTo(first: number, windowMilliseconds: number, now: number): readonly number[] {
  const count = Math.max(0, Math.floor((now - first) / windowMilliseconds)) + 1;
  return Array.from({ length: Math.min(count, 10) }, (_, index) => first + index * windowMilliseconds);
}

type ShotListProps = {
  readonly shots: readonly Shot[];
  readonly now: number;
  readonly windowMilliseconds: number;
};

function ShotList({ shots, now, windowMilliseconds }: ShotListProps) {
  const recent = shots.filter(({ at }) => now - at < windowMilliseconds).toReversed();
  return (
    <details>
      <summary>{words.list}</summary>
      <ol>
        {recent.map(({ at, accepted }) => (
          <li key={at}>
            {words.secondsAgo(Math.max(0, Math.round((now - at) / 1000)))}: {accepted ? words.accepted : words.refused}
          </li>
        ))}
      </ol>
    </details>
  );
}
