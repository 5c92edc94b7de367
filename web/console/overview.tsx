import { useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { gates } from "../gates.ts";
import { useAsked, useEvery } from "../parts/ask-hooks.ts";
import { api, ask, type Success } from "../server.ts";
import { Chart } from "./chart.tsx";
import { consoleWords as words } from "./console-words.ts";
import { Shown, Table } from "./shown.tsx";

type OverviewData = Success<paths["/admin/overview"]["get"]>;
type Period = OverviewData["period"];

const refreshSeconds = 10;

/** How the server fares: how many there are, what it does now, and what it did in the last hour or day. */
export function Overview() {
  const [period, setPeriod] = useState<Period>("hour");
  const asked = useAsked(() => ask(api.GET("/admin/overview", { params: { query: { period } } })), [period]);
  useEvery(refreshSeconds, asked.again);
  return (
    <>
      <div class="choices" role="group" aria-label={words.period}>
        {(["hour", "day"] as const).map((one) => (
          <button key={one} type="button" aria-pressed={one === period} onClick={() => setPeriod(one)}>
            {words.periods[one]}
          </button>
        ))}
      </div>
      <Shown asked={asked}>{(overview) => <Figures overview={overview} />}</Shown>
    </>
  );
}

function Figures({ overview }: { readonly overview: OverviewData }) {
  const { totals, points, sums } = overview;
  const at = points.map(({ starts_at }) => Date.parse(starts_at) / 1000);
  const { series, charts } = words;
  const refusedAt = ({ refusals }: (typeof points)[number]): number =>
    gates.reduce((sum, gate) => sum + refusals[gate], 0);
  return (
    <>
      <ul class="totals">
        {(Object.keys(words.totals) as (keyof typeof words.totals)[]).map((name) => (
          <li key={name}>
            <strong>{totals[name].toLocaleString("en")}</strong> {words.totals[name]}
          </li>
        ))}
      </ul>
      <div class="charts">
        <Chart
          title={charts.accounts}
          at={at}
          series={[
            { name: series.sign_ups, values: points.map(({ sign_ups }) => sign_ups) },
            { name: series.sign_ins, values: points.map(({ sign_ins }) => sign_ins) },
            { name: series.wrong_passwords, values: points.map(({ wrong_passwords }) => wrong_passwords) },
          ]}
        />
        <Chart
          title={charts.requests}
          at={at}
          series={[
            { name: series.requests, values: points.map(({ requests }) => requests) },
            { name: series.refused, values: points.map(refusedAt) },
          ]}
        />
        <Chart
          title={charts.latency}
          at={at}
          series={[
            { name: series.p50, values: points.map(({ latency_p50_ms }) => latency_p50_ms) },
            { name: series.p99, values: points.map(({ latency_p99_ms }) => latency_p99_ms) },
          ]}
        />
        <Now now={overview.now} />
      </div>
      <div class="charts">
        <section aria-labelledby="by-gate">
          <h2 id="by-gate">{words.refusalsByGate}</h2>
          <Counts head={words.gate} counts={sums.refusals} />
        </section>
        <section aria-labelledby="by-outcome">
          <h2 id="by-outcome">{words.refreshes}</h2>
          <Counts head={words.outcome} counts={sums.refreshes} />
        </section>
      </div>
    </>
  );
}

function Now({ now }: { readonly now: OverviewData["now"] }) {
  const facts = {
    [words.hashThreads]: words.of(now.hash_threads_busy, now.hash_threads),
    [words.hashQueue]: words.of(now.hash_queue_length, now.hash_queue_max),
    [words.eventLoop]: `${now.event_loop_delay_p50_ms.toFixed(1)} / ${now.event_loop_delay_p99_ms.toFixed(1)} ms`,
    [words.limiterKeys]: now.limiter_keys_held.toLocaleString("en"),
    [words.uptime]: duration(now.uptime_seconds),
    [words.version]: now.version,
    [words.mode]: now.mode,
  };
  return (
    <section aria-labelledby="now">
      <h2 id="now">{words.now}</h2>
      <dl class="facts">
        {Object.entries(facts).map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Counts({ head, counts }: { readonly head: string; readonly counts: Readonly<Record<string, number>> }) {
  return (
    <Table label={head} head={[head, { figures: words.count }]}>
      {Object.entries(counts).map(([name, count]) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td class="number">{count.toLocaleString("en")}</td>
        </tr>
      ))}
    </Table>
  );
}

const durations = new Intl.NumberFormat("en", {
  maximumFractionDigits: 0,
  style: "unit",
  unit: "minute",
  unitDisplay: "long",
});

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : durations.format(minutes);
}
