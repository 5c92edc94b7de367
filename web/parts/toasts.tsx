import { useEffect, useState } from "preact/hooks";
import { partWords as words } from "./part-words.ts";

type Toast = { readonly id: number; readonly text: string; readonly undo?: (() => void) | undefined };

const shownMilliseconds = 10_000;
const toastsMax = 3;
let toasts: readonly Toast[] = [];
let lastId = 0;
let changed: () => void = () => undefined;

/** Says that something was done, for ten seconds, with a way back where there is one. */
export function toast(text: string, undo?: () => void): void {
  lastId += 1;
  const id = lastId;
  toasts = [...toasts, { id, text, undo }].slice(-toastsMax);
  changed();
  setTimeout(() => remove(id), shownMilliseconds);
}

function remove(id: number): void {
  toasts = toasts.filter((one) => one.id !== id);
  changed();
}

export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    changed = () => setShown(toasts);
    return () => {
      changed = () => undefined;
    };
  }, []);
  return (
    <div class="toasts" role="status">
      {shown.map(({ id, text, undo }) => (
        <p key={id} class="toast">
          {text}
          {undo === undefined ? null : (
            <button
              type="button"
              class="plain"
              onClick={() => {
                remove(id);
                undo();
              }}
            >
              {words.undo}
            </button>
          )}
          <button type="button" class="plain" aria-label={words.close} onClick={() => remove(id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
