import { stripVTControlCharacters, styleText } from "node:util";

/** Where the runner writes: the real one, or a test's. */
export type Terminal = {
  readonly write: (text: string) => void;
  /** In characters. */
  readonly width: () => number;
  /** Whether the screen can be cleared and lines written over. */
  readonly isScreen: boolean;
  readonly paint: (colour: Colour, text: string) => string;
};

export type Colour = "bold" | "green" | "red" | "yellow" | "dim";

const widthMax = 80;
const widthMin = 20;

export function createTerminal(stream: NodeJS.WriteStream): Terminal {
  return {
    write: (text) => void stream.write(text),
    width: () => Math.max(widthMin, Math.min(widthMax, stream.columns || widthMax)),
    isScreen: stream.isTTY && process.env["TERM"] !== "dumb",
    // Knows NO_COLOR, FORCE_COLOR, and streams that are no terminal. Nothing is said by colour alone.
    paint: (colour, text) => styleText(colour, text, { stream }),
  };
}

/**
 * Breaks a text into lines that fit; each begins with the indent. A word longer than a line has a line of its own.
 * A no-break space stays one, so that a command is not torn apart: `unbroken` makes them.
 */
export function wrap(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/[ \n]+/).filter((one) => one !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    const length = indent.length + stripVTControlCharacters(longer).length;
    if (length <= width || line === "") line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map((one) => (indent + one).trimEnd().replaceAll("\u00A0", " ")).join("\n");
}

export function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00A0");
}

/** Markdown as a person reads it in a terminal: wrapped, without the marks; code and tables as they are. */
export function plain(markdown: string, width: number): string {
  const parts = markdown.split(/^(```[^\n]*\n[\s\S]*?^```)$/m);
  return parts
    .flatMap((part) => {
      if (part.startsWith("```")) return [indented(part.split("\n").slice(1, -1))];
      return part.split(/\n{2,}/).map((paragraph) => plainParagraph(paragraph, width));
    })
    .filter((part) => part.trim() !== "")
    .join("\n\n");
}

function plainParagraph(paragraph: string, width: number): string {
  const lines = paragraph.split("\n").filter((line) => line.trim() !== "");
  if (lines.every((line) => line.startsWith("|"))) return plainTable(lines, width);
  return lines
    .map((line) => {
      const [, mark = "", text = line] = /^(- |\d+\. )(.*)$/.exec(line) ?? [];
      const wrapped = wrap(withoutMarks(text), width, " ".repeat(mark.length));
      return mark + wrapped.slice(mark.length);
    })
    .join("\n");
}

/** A row becomes a line: its cells, one after the other. */
function plainTable(lines: readonly string[], width: number): string {
  return lines
    .filter((line) => !/^[|\s-]+$/.test(line))
    .map((line) => {
      const cells = line.split("|").map((cell) => withoutMarks(cell.trim()));
      const wrapped = wrap(cells.filter((cell) => cell !== "").join(", "), width, "  ");
      return `- ${wrapped.slice(2)}`;
    })
    .join("\n");
}

function withoutMarks(text: string): string {
  return text
    .replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, (_link, words: string, target: string) => {
      // As a path from the root, where a person looks for it.
      const path = target.replace(/^(?:\.\.\/)+/, "");
      return path.endsWith(`/${words}`) ? path : `${words} (${path})`;
    })
    .replaceAll(/\*\*([^*]+)\*\*/g, "$1")
    .replaceAll(/(?<![\w`])\*([^*]+)\*(?!\w)/g, "$1")
    .replaceAll(/`([^`]+)`/g, "$1");
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`.trimEnd()).join("\n");
}
