import { render } from "preact";
import { People } from "../parts/people.ts";
import { RequestsMade } from "../parts/requests-made.tsx";
import type { RunPart } from "./chapter-format.ts";
import { learnWords as words } from "./learn-words.ts";
import { markDone, readProgress } from "./progress.ts";
import { RunStep, type Stage } from "./run-step.tsx";
import "./learn.css";
import "virtual:chapter-code.css";

/** The chapters are complete without a script. It adds a button to each request, and what was run so far. */
const chapter = document.querySelector<HTMLElement>("[data-chapter]")?.dataset["chapter"];
const stage: Stage = { people: new People(), values: new Map() };

for (const place of document.querySelectorAll<HTMLElement>("[data-step]")) {
  const step = JSON.parse(place.dataset["step"] ?? "{}") as RunPart;
  const done = (): void => {
    markDone(chapter ?? "", step.id);
    showProgress();
  };
  render(<RunStep step={step} stage={stage} onDone={done} />, place);
}

const footer = document.getElementById("requests");
if (footer) render(<RequestsMade />, footer);

/** In the list of chapters: how many steps of each were run. */
function showProgress(): void {
  const done = [...readProgress()];
  for (const place of document.querySelectorAll<HTMLElement>("[data-progress]")) {
    const { progress = "", steps = "0" } = place.dataset;
    const count = done.filter((one) => one.startsWith(`${progress}/`)).length;
    place.textContent = count === 0 ? "" : words.progress(Math.min(count, Number(steps)), Number(steps));
  }
}
showProgress();
