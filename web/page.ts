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
