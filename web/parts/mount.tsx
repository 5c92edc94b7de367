import { Component, type ComponentChildren, render } from "preact";
import { Notice } from "./notice.tsx";
import { partWords as words } from "./part-words.ts";
import { RequestsMade } from "./requests-made.tsx";
import { Toasts } from "./toasts.tsx";

/** Puts a screen into its page, with what every screen has: a way to see what it asked, and a word when it breaks. */
export function mountScreen(screen: ComponentChildren): void {
  const place = document.getElementById("screen");
  if (place === null) throw new Error("This page has no place for a screen.");
  place.replaceChildren();
  render(
    <Unbroken>
      {screen}
      <RequestsMade />
      <Toasts />
    </Unbroken>,
    place,
  );
}

/** A fault of our own must not leave an empty page. */
class Unbroken extends Component<{ readonly children: ComponentChildren }, { readonly isBroken: boolean }> {
  override state = { isBroken: false };

  static override getDerivedStateFromError(): { readonly isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ComponentChildren {
    if (!this.state.isBroken) return this.props.children;
    return (
      <Notice kind="bad" title={words.brokenTitle}>
        <p>{words.brokenText}</p>
        <p>
          <button type="button" onClick={() => location.reload()}>
            {words.reload}
          </button>
        </p>
      </Notice>
    );
  }
}
