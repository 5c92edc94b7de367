import { api, ask } from "../server.ts";
import type { Card } from "./cards.ts";

/** The example of a problem as a card; undefined if there is none, or the Lab cannot send it. */
export async function problemCard(code: string | null): Promise<Card | undefined> {
  if (code === null) return undefined;
  const answer = await ask(api.GET("/errors/{code}", { params: { path: { code } } }));
  return "data" in answer ? undefined : undefined;
}
