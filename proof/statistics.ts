/** How two samples of times differ; small, and tested against known values. */
export type Difference = {
  readonly meanDifference: number;
  /** Welch's t and its degrees of freedom. */
  readonly t: number;
  readonly degreesOfFreedom: number;
  /** Two-sided, for Welch's t. */
  readonly tProbability: number;
  /** The largest distance between the two distributions (Kolmogorov–Smirnov), and how probable it is by chance. */
  readonly distance: number;
  readonly distanceProbability: number;
};

export function compare(a: readonly number[], b: readonly number[]): Difference {
  const [meanA, meanB] = [mean(a), mean(b)];
  const [errorA, errorB] = [variance(a, meanA) / a.length, variance(b, meanB) / b.length];
  const t = (meanA - meanB) / Math.sqrt(errorA + errorB);
  const degreesOfFreedom = (errorA + errorB) ** 2 / (errorA ** 2 / (a.length - 1) + errorB ** 2 / (b.length - 1));
  const distance = largestDistance(a, b);
  return {
    meanDifference: meanA - meanB,
    t,
    degreesOfFreedom,
    // With more than a hundred degrees of freedom Student's distribution is the normal one to three digits.
    tProbability: 2 * (1 - normalCumulative(Math.abs(t))),
    distance,
    distanceProbability: kolmogorovProbability(distance, a.length, b.length),
  };
}

/** Without the slowest twentieth: what the machine was doing, not the server. */
export function trim(times: readonly number[]): number[] {
  return times.toSorted((x, y) => x - y).slice(0, Math.ceil(times.length * 0.95));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[], about: number): number {
  return values.reduce((sum, value) => sum + (value - about) ** 2, 0) / (values.length - 1);
}

/** Abramowitz and Stegun 26.2.17: to seven digits. */
function normalCumulative(x: number): number {
  const k = 1 / (1 + 0.2316419 * x);
  const tail = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}

function largestDistance(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [a.toSorted((x, y) => x - y), b.toSorted((x, y) => x - y)];
  let [i, j, largest] = [0, 0, 0];
  while (i < left.length && j < right.length) {
    const value = Math.min(left[i] ?? 0, right[j] ?? 0);
    while (i < left.length && (left[i] ?? 0) <= value) i += 1;
    while (j < right.length && (right[j] ?? 0) <= value) j += 1;
    largest = Math.max(largest, Math.abs(i / left.length - j / right.length));
  }
  return largest;
}

function kolmogorovProbability(distance: number, sizeA: number, sizeB: number): number {
  const effective = Math.sqrt((sizeA * sizeB) / (sizeA + sizeB));
  const x = (effective + 0.12 + 0.11 / effective) * distance;
  if (x < 0.2) return 1; // The row below does not converge there, and the probability is 1 to ten digits.
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}
