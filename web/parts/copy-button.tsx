import { copyText } from "./copy-text.ts";
import { partWords as words } from "./part-words.ts";

/** @param what is copied, in a word: read together with "Copy". */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <button type="button" class="plain" onClick={({ currentTarget }) => void copyText(text, currentTarget)}>
      {words.copy} {what}
    </button>
  );
}
