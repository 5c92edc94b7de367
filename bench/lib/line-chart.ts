import { escapeXml, figure } from "./report.ts";

export type Line = { readonly label: string; readonly points: readonly (readonly [minute: number, value: number])[] };

const width = 640;
const panelHeight = 90;

/** A panel for each line, one under the other, over the same time. Each begins at zero. Readable on light and on dark. */
export function lineChart(name: string, minutes: number, lines: readonly Line[]): string {
  const panels = lines.map(({ label, points }, index) => {
    const top = 24 + index * panelHeight;
    const values = points.map(([, value]) => value);
    const [height, most] = [panelHeight - 34, Math.max(...values, 1e-9)];
    const places = points.map(([minute, value]) => {
      return `${((width * minute) / minutes).toFixed(1)},${(top + height - (height * value) / most).toFixed(1)}`;
    });
    const ends = `${figure(values[0] ?? 0)} → ${figure(values.at(-1) ?? 0)}, at most ${figure(most)}`;
    return (
      `<text x="0" y="${top - 6}" font-weight="bold">${escapeXml(`${label}: ${ends}`)}</text>` +
      `<line x1="0" y1="${top + height}" x2="${width}" y2="${top + height}" stroke="#8a8f98"/>` +
      `<polyline points="${places.join(" ")}" fill="none" stroke="#1f8a70" stroke-width="1.5"/>`
    );
  });
  const bottom = 10 + lines.length * panelHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 16}" role="img" aria-label="${escapeXml(name)}" font-family="system-ui, sans-serif" font-size="12" fill="#777">${panels.join("")}<text x="0" y="${bottom + 8}">${figure(minutes)} minutes</text></svg>\n`;
}
