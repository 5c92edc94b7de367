import { germanPartWords } from "./part-words-de.ts";
import { screenFacts } from "./screen-facts.ts";

/** What the parts say that all pages share. */
const englishPartWords = {
  brokenTitle: "This page has a fault",
  brokenText: "What you did may or may not have been done. Nothing else is lost: load the page again and look.",
  reload: "Load again",
  tryAgain: "Try again",
  cancel: "Cancel",
  close: "Close",
  copy: "Copy",
  show: "Show",
  hide: "Hide",
  undo: "Undo",
  loading: "Loading",
  why: "What this means and what to do",
  requestId: "Request",
  proveTitle: "Your password, once more",
  goOn: "Go on",
  password: "Password",
  waitSeconds: (seconds: number): string =>
    seconds === 1 ? "You can try again in 1 second." : `You can try again in ${seconds} seconds.`,
  waitOver: "You can try again now.",
  requestsMade: (count: number): string => `Requests this page made (${count})`,
  requestsWhy: "Whatever a page does, you can do with curl: these are the same requests.",
  noAnswer: "no answer",
  justNow: "just now",
  today: "today",
  code: "Code from the mail",
  codeHint: "Eight letters and digits; capital letters make no difference. The link in the mail does the same.",
  codeAction: "Use the code",
  /** What the server says itself, in English, by its codes. */
  problems: {} as Readonly<Record<string, { readonly title: string; readonly detail: string }>>,
  faults: {} as Readonly<Record<string, string>>,
};
export type PartWords = typeof englishPartWords;

export const partWords: PartWords = screenFacts.isGerman ? germanPartWords : englishPartWords;
