import { useEffect, useState } from "preact/hooks";
import type { Answer, Problem } from "../server.ts";

const typingMilliseconds = 250;

/** The text, once nobody has typed for a moment. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), typingMilliseconds);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

type Page<Item> = { readonly items: readonly Item[]; readonly next_cursor: string | null };

export type Pages<Item> = {
  readonly items: readonly Item[];
  /** Why the last page that was asked for is not there. */
  readonly problem: Problem | undefined;
  /** Asks for the next page; `undefined` when all are there. */
  readonly more: (() => Promise<void>) | undefined;
};

/** A list that grows by a page at a time. */
export function usePages<Item>(first: Page<Item>, next: (cursor: string) => Promise<Answer<Page<Item>>>): Pages<Item> {
  const [items, setItems] = useState(first.items);
  const [cursor, setCursor] = useState(first.next_cursor);
  const [problem, setProblem] = useState<Problem>();
  if (cursor === null) return { items, problem, more: undefined };
  const more = async (): Promise<void> => {
    const answer = await next(cursor);
    if ("problem" in answer) return setProblem(answer.problem);
    setProblem(undefined);
    setItems((before) => [...before, ...answer.data.items]);
    setCursor(answer.data.next_cursor);
  };
  return { items, problem, more };
}
