import { pageWords } from "./page-words.ts";
import { copyText } from "./parts/copy-text.ts";

/** What a script adds to the pages that are complete without one: a button that copies, beside each marked block. */
for (const block of document.querySelectorAll<HTMLElement>("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => void copyText(block.textContent ?? "", button));
  const frame = document.createElement("div");
  frame.className = "copyable";
  block.replaceWith(frame);
  frame.append(block, button);
}

/** Where the server does not tell everybody what its settings are, an administrator may ask. */
const place = document.querySelector<HTMLElement>("[data-ask-settings]");
if (place) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = pageWords.askSettings;
  button.addEventListener("click", () => {
    import("./parts/settings-in-force.ts").then(
      ({ tellSettings }) => tellSettings(place),
      () => void (button.textContent = pageWords.notLoaded),
    );
  });
  place.append(button);
}
