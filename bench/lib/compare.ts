import type { Sample } from "./load.ts";

/** A B A B: what else the machine does meets both alike. The first of each warms up and is not counted. */
export async function interleaved(
  rounds: number,
  sides: { readonly a: () => Promise<Sample>; readonly b: () => Promise<Sample> },
): Promise<{ readonly a: Sample; readonly b: Sample }> {
  const samples = { a: [] as Sample[], b: [] as Sample[] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of ["a", "b"] as const) {
      const sample = await sides[side]();
      if (round > 0) samples[side].push(sample);
    }
  }
  return { a: medianOf(samples.a), b: medianOf(samples.b) };
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
