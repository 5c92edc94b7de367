import type { Sample } from "./load.ts";
import type { Row } from "./report.ts";

/** A B A B: what else the machine does meets all alike. The first of each warms up and is not counted. */
export async function interleaved<Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, () => Promise<Sample>>>,
): Promise<Readonly<Record<Side, Sample>>> {
  const names = Object.keys(sides) as Side[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Side, Sample[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const sample = await sides[name]();
      if (round > 0) samples[name].push(sample);
    }
  }
  return Object.fromEntries(names.map((name) => [name, medianOf(samples[name])])) as Record<Side, Sample>;
}

/** How many requests each side answered, and how long the slowest took. */
export function requestRows(
  tollgate: Sample,
  other: Sample,
  { againstWhat, atLeast }: { readonly againstWhat: string; readonly atLeast: number },
): readonly [Row, Row] {
  const row = (what: string, unit: string, name: keyof Sample): Row => {
    return {
      what,
      unit,
      tollgate: tollgate[name],
      against: other[name],
      againstWhat,
      ratio: tollgate[name] / other[name],
    };
  };
  return [{ ...row("requests", "per second", "perSecond"), atLeast }, row("p99", "ms", "p99Milliseconds")];
}

function medianOf(samples: readonly Sample[]): Sample {
  return {
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    p50Milliseconds: median(samples.map(({ p50Milliseconds }) => p50Milliseconds)),
    p99Milliseconds: median(samples.map(({ p99Milliseconds }) => p99Milliseconds)),
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A sample of something whose single times are not looked at. */
export function rateAlone(perSecond: number): Sample {
  return { perSecond, p50Milliseconds: Number.NaN, p99Milliseconds: Number.NaN };
}

/** Tollgate's rate as a multiple of another one's. */
export function rateRow(tollgate: Sample, against: Sample, row: Pick<Row, "what" | "againstWhat" | "atLeast">): Row {
  const rates = { tollgate: tollgate.perSecond, against: against.perSecond };
  return { unit: "per second", ...row, ...rates, ratio: rates.tollgate / rates.against };
}
