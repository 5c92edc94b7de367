import { screenFacts } from "../parts/screen-facts.ts";
import { germanDoorWords, germanMailWords } from "./mail-words-de.ts";
import { type DoorWords, englishDoorWords, englishMailWords } from "./mail-words-en.ts";

export type Door = keyof typeof englishDoorWords;

export const doorWords: Readonly<Record<Door, DoorWords>> = screenFacts.isGerman ? germanDoorWords : englishDoorWords;
export const mailWords = screenFacts.isGerman ? germanMailWords : englishMailWords;
