import { useEffect, useId, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { consoleWords as words } from "./console-words.ts";
import { Empty, Table } from "./shown.tsx";

type Series = { readonly name: string; readonly values: readonly (number | null)[] };

type ChartProps = {
  readonly title: string;
  /** Seconds since the epoch, rising. */
  readonly at: readonly number[];
  readonly series: readonly Series[];
};

const height = 200;
/** By their place: colours of the stylesheet, told apart by dashes too. */
const strokes = [
  { color: "--accent", dash: [] },
  { color: "--chart-second", dash: [6, 3] },
  { color: "--bad", dash: [2, 3] },
];

/** Lines over time; the same figures as a table for who cannot see them. */
export function Chart({ title, at, series }: ChartProps) {
  const id = useId();
  const isEmpty = series.every(({ values }) => values.every((value) => value === null || value === 0));
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {isEmpty ? (
        <Empty text={words.emptyChart} />
      ) : (
        <>
          <Plot at={at} series={series} />
          <details>
            <summary>{words.chartTable(title)}</summary>
            <Table label={title} head={[words.time, ...series.map(({ name }) => ({ figures: name }))]}>
              {at.map((seconds, index) => (
                <tr key={seconds}>
                  <th scope="row">{clock.format(seconds * 1000)}</th>
                  {series.map(({ name, values }) => (
                    <td key={name} class="number">
                      {values[index] ?? "–"}
                    </td>
                  ))}
                </tr>
              ))}
            </Table>
          </details>
        </>
      )}
    </section>
  );
}

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });

function Plot({ at, series }: Omit<ChartProps, "title">) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data: uPlot.AlignedData = [[...at], ...series.map(({ values }) => [...values])];
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element, series), data, element);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [series.length]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={place} class="plot" aria-hidden="true" />;
}

function optionsFor(element: HTMLElement, series: readonly Series[]): uPlot.Options {
  const style = getComputedStyle(element);
  // A canvas knows no light-dark(): the browser says what it is just now.
  const colorOf = (name: string): string => resolve(element, `var(${name})`);
  const axis = {
    stroke: style.color,
    grid: { stroke: colorOf("--line"), width: 1 },
    ticks: { stroke: colorOf("--line") },
  };
  return {
    width: element.clientWidth,
    height,
    cursor: { y: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [axis, { ...axis, size: 56 }],
    series: [
      {},
      ...series.map(({ name }, index) => {
        const { color, dash } = strokes[index % strokes.length] ?? { color: "--ink", dash: [] };
        return { label: name, stroke: colorOf(color), width: 2, dash, points: { show: false } };
      }),
    ],
  };
}

function resolve(element: HTMLElement, color: string): string {
  const probe = element.appendChild(document.createElement("i"));
  probe.style.color = color;
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
