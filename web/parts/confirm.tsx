import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { partWords as words } from "./part-words.ts";
import { onSubmit } from "./on-submit.ts";

type ConfirmProps = {
  readonly title: string;
  /** What the button does, in words: "Delete the account", not "OK". */
  readonly action: string;
  readonly isBusy?: boolean;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** Asks before what cannot be undone. The browser's own dialog: it keeps the focus, and Escape closes it. */
export function Confirm({ title, action, isBusy, isDangerous, onConfirm, onClose, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={onClose}>
      <form method="dialog" onSubmit={onSubmit(onConfirm)}>
        <h2 id="confirm-title">{title}</h2>
        {children}
        <p class="actions">
          <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={isBusy}>
            {action}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
        </p>
      </form>
    </dialog>
  );
}
