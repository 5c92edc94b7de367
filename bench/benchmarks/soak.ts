import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { Benchmark } from "../lib/benchmark.ts";
import { median } from "../lib/compare.ts";
import { machineSeconds, processSeconds } from "../lib/cpu-time.ts";
import { insertHistory, openRowCounter, type Rows } from "../lib/history.ts";
import { lineChart, type Line } from "../lib/line-chart.ts";
import type { Result } from "../lib/report.ts";
import { seed } from "../lib/seed.ts";
import { residentMebibytes, startTollgate, type RunningServer } from "../lib/servers.ts";
import { letVisitorsIn, sessionsMadePerMinute, type Visitors } from "../lib/visitors.ts";

const users = 1_000;
const port = 8511;
const metricsPort = 8512;
const sampleSeconds = 10;
const warmUpMinutesMax = 10;
/** The shortest that there is, for tokens and for sessions. Limits are as they come: their counters are memory too. */
const lifetimes = { ACCESS_TOKEN_LIFETIME: "60s", SESSION_LIFETIME: "1h", SESSION_IDLE_LIFETIME: "1h" };
const limits = {
  LIMIT_API: "",
  LIMIT_SIGN_UP: "",
  LIMIT_LOGIN_ADDRESS: "",
  LIMIT_LOGIN_ACCOUNT: "",
  LIMIT_REFRESH: "",
};
const idleMilliseconds = 3_600_000;
/** Of each of four kinds; together they go as fast as the visitors make new ones. */
const duePerMinute = sessionsMadePerMinute / 3;
/** It runs every minute; what falls due meanwhile, and as much again for a late turn. */
const overdueMax = 2 * 4 * duePerMinute;

type Sample = Rows & {
  readonly minute: number;
  readonly residentMebibytes: number;
  readonly heapMebibytes: number;
  readonly descriptors: number;
  readonly loopDelayP99Milliseconds: number;
  /** Cores that were busy, with this server and with everything on the machine. */
  readonly serverCores: number;
  readonly machineCores: number;
  /** By how much this process itself woke too late: longer than some milliseconds, and the machine stood still. */
  readonly lateMilliseconds: number;
};

export const soak: Benchmark = {
  name: "soak",
  about: "a mixed load for a long time (--minutes): memory, descriptors, rows and the event loop's delay",
  isLong: true,
  run: async ({ say, minutes }) => {
    const seeded = await seed(users, () => undefined);
    const path = seeded.databaseUrl.replace(/^sqlite:/, "");
    insertHistory(path, { minutes: minutes + 1, perMinute: duePerMinute, idleMilliseconds });
    const env = { ...lifetimes, ...limits, TRUSTED_PROXIES: "127.0.0.1", METRICS_PORT: String(metricsPort) };
    const tollgate = await startTollgate(seeded.databaseUrl, { port, env });
    const rows = openRowCounter(path, { idleMilliseconds });
    const visitors = letVisitorsIn(tollgate.url, users);
    try {
      const samples = await watch(tollgate, { minutes, rows: rows.read, say });
      return resultOf(samples, visitors.counts(), minutes);
    } finally {
      await visitors.stop();
      rows.close();
      await tollgate.stop();
      seeded.remove();
    }
  },
};

async function watch(
  { pid }: RunningServer,
  { minutes, rows, say }: { readonly minutes: number; readonly rows: () => Rows; readonly say: (what: string) => void },
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const startedAt = performance.now();
  let before = { server: processSeconds(pid), machine: machineSeconds() };
  for (let turn = 1; turn * sampleSeconds <= minutes * 60; turn += 1) {
    const due = startedAt + turn * sampleSeconds * 1000;
    await pause(Math.max(0, due - performance.now()));
    const now = { server: processSeconds(pid), machine: machineSeconds() };
    const sample = {
      minute: (turn * sampleSeconds) / 60,
      lateMilliseconds: performance.now() - due,
      residentMebibytes: residentMebibytes(pid),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      serverCores: (now.server - before.server) / sampleSeconds,
      machineCores: (now.machine - before.machine) / sampleSeconds,
      ...(await figuresOfServer()),
      ...rows(),
    };
    samples.push(sample);
    before = now;
    say(`minute ${sample.minute.toFixed(1)} of ${minutes}, ${Math.round(sample.residentMebibytes)} MiB`);
  }
  return samples;
}

async function figuresOfServer(): Promise<Pick<Sample, "heapMebibytes" | "loopDelayP99Milliseconds">> {
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const figure = (name: string): number =>
    Number(
      page
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(" ")[1],
    );
  return {
    heapMebibytes: figure("nodejs_heap_size_used_bytes") / 2 ** 20,
    loopDelayP99Milliseconds: 1000 * figure('tollgate_event_loop_delay_seconds{quantile="0.99"}'),
  };
}

/** What the server's event loop is not to be blamed for: it had no core to run on, as the others had none. */
function isDisturbed({ machineCores, lateMilliseconds, loopDelayP99Milliseconds }: Sample): boolean {
  const isFull = machineCores > 0.75 * cpus().length; // On average: at times it was fuller.
  return isFull || lateMilliseconds > 100 || Number.isNaN(loopDelayP99Milliseconds);
}

function resultOf(samples: readonly Sample[], counts: ReturnType<Visitors["counts"]>, minutes: number): Result {
  const warmUpMinutes = Math.min(warmUpMinutesMax, minutes / 3);
  const late = samples.filter(({ minute }) => minute > warmUpMinutes);
  const calm = late.filter((sample) => !isDisturbed(sample));
  const delays = calm.map((sample) => sample.loopDelayP99Milliseconds);
  const third = Math.ceil(late.length / 3);
  const most = (some: readonly Sample[], name: keyof Sample): number => Math.max(...some.map((one) => one[name]));
  const [before, lastThird] = [samples.slice(0, -third), samples.slice(-third)];
  const row = (what: string, unit: string, tollgate: number, against: number, againstWhat: string, atMost = 1) => ({
    what,
    unit,
    tollgate,
    against,
    againstWhat,
    ratio: tollgate / against,
    atMost,
  });
  const megabytesPerMinute = (slopePerMinute(late, "residentMebibytes") * 2 ** 20) / 1e6;
  const { answers, unexpected, examples } = counts;
  const allowed = "the most allowed";
  return {
    rows: [
      row("memory grows by", "MB a minute", megabytesPerMinute, 1, allowed),
      row(
        "descriptors, most at the end",
        "",
        most(lastThird, "descriptors"),
        most(before, "descriptors"),
        "before",
        1.05,
      ),
      row("event-loop delay, p99, median", "ms", median(delays), 20, allowed),
      row("event-loop delay, p99, worst", "ms", Math.max(...delays), 20, allowed),
      row("rows overdue, at most", "", most(samples, "overdue"), overdueMax, "due in two minutes"),
      row("unexpected answers", "", unexpected, answers, "all answers", 0.001),
    ],
    notes: [
      `Slopes, medians and delays are of what came after ${warmUpMinutes.toFixed(1)} minutes. ${4 * duePerMinute * minutes} rows fell due during the run.`,
      `Delays are left out where the machine had no core to spare or stood still: ${late.length - calm.length} of ${late.length} samples.`,
      ...examples,
    ],
    samples: samples.map((sample) =>
      Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, Number(value.toFixed(2))])),
    ),
    chart: chartOf(samples, minutes),
  };
}

function chartOf(samples: readonly Sample[], minutes: number): string {
  const line = (label: string, name: keyof Sample, some = samples): Line => {
    return { label, points: some.map((sample) => [sample.minute, sample[name]]) };
  };
  const calm = samples.filter((sample) => !isDisturbed(sample));
  return lineChart("soak", minutes, [
    line("memory (RSS), MiB", "residentMebibytes"),
    line("heap in use, MiB", "heapMebibytes", calm),
    line("descriptors", "descriptors"),
    line("event-loop delay, p99 of 5 s, ms, where there was a core to spare", "loopDelayP99Milliseconds", calm),
    line("busy cores, this server", "serverCores"),
    line("busy cores, the whole machine", "machineCores"),
    line("sessions", "sessions"),
    line("accounts", "accounts"),
    line("kept answers", "answers"),
    line("overdue rows", "overdue"),
  ]);
}

/** By least squares. */
function slopePerMinute(samples: readonly Sample[], name: keyof Sample): number {
  const mean = (of: keyof Sample): number => samples.reduce((sum, one) => sum + one[of], 0) / samples.length;
  const [minute, value] = [mean("minute"), mean(name)];
  let [covariance, variance] = [0, 0];
  for (const sample of samples) {
    covariance += (sample.minute - minute) * (sample[name] - value);
    variance += (sample.minute - minute) ** 2;
  }
  return covariance / variance;
}
