import { pageWords } from "../page-words.ts";
import { signInPath } from "../return-to.ts";
import { api, ask } from "../server.ts";

/** Writes beside each setting of the page what is in force, or says at the place why not. */
export async function tellSettings(place: HTMLElement): Promise<void> {
  const answer = await ask(api.GET("/admin/settings"));
  if ("problem" in answer) {
    tellProblem(place, answer.problem);
    return;
  }
  const settings = new Map(answer.data.items.map((setting) => [setting.name, setting]));
  for (const item of document.querySelectorAll<HTMLElement>("[data-setting]")) {
    const setting = settings.get(item.dataset["setting"] ?? "");
    if (setting === undefined) continue;
    const value = document.createElement("span");
    value.className = "in-force";
    const origin = document.createElement("small");
    origin.textContent = pageWords[setting.origin];
    value.append(`${setting.value} `, origin);
    item.querySelector("strong")?.after(value);
  }
  place.remove();
}

function tellProblem(
  place: HTMLElement,
  { detail, status }: { readonly detail: string; readonly status: number },
): void {
  const said = place.querySelector("output") ?? place.appendChild(document.createElement("output"));
  said.textContent = ` ${detail} `;
  if (status !== 401) return;
  const link = document.createElement("a");
  link.href = signInPath(location);
  link.textContent = pageWords.signIn;
  said.append(link);
}
