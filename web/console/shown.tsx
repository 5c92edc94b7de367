import type { ComponentChildren } from "preact";
import type { Asked } from "../parts/ask-hooks.ts";
import { Skeleton } from "../parts/loading.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { consoleWords as words } from "./console-words.ts";
import type { Pages } from "./list-parts.ts";

type ShownProps<Data> = { readonly asked: Asked<Data>; readonly children: (data: Data) => ComponentChildren };

/** What was asked for, once it is there; until then grey lines, or why not. */
export function Shown<Data>({ asked: { answer, again }, children }: ShownProps<Data>) {
  if (answer === undefined) return <Skeleton lines={6} />;
  if ("problem" in answer) return <ProblemNotice problem={answer.problem} onRetry={again} />;
  return <>{children(answer.data)}</>;
}

type TableProps = {
  readonly label: string;
  /** Names of columns; figures are aligned at their end. */
  readonly head: readonly (string | { readonly figures: string })[];
  readonly children: ComponentChildren;
};

/** A table in a frame within which it scrolls: a group, for the section around it is the landmark. */
export function Table({ label, head, children }: TableProps) {
  return (
    <div class="table" tabIndex={0} role="group" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((column) =>
              typeof column === "string" ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : (
                <th key={column.figures} scope="col" class="number">
                  {column.figures}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** What will be here, and how. */
export function Empty({ text }: { readonly text: string }) {
  return (
    <div class="empty">
      <p>{text}</p>
    </div>
  );
}

/** Below a list: why it does not go on, and the button that makes it longer. */
export function More<Item>({ pages: { problem, more } }: { readonly pages: Pages<Item> }) {
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {more === undefined ? null : (
        <p class="actions">
          <button type="button" onClick={() => void more()}>
            {words.more}
          </button>
        </p>
      )}
    </>
  );
}
