import type { PartWords } from "./part-words.ts";

/** The same in German, for the pages that mail leads to. */
export const germanPartWords: PartWords = {
  brokenTitle: "Diese Seite hat einen Fehler",
  brokenText:
    "Was du getan hast, ist vielleicht geschehen, vielleicht nicht. Sonst ist nichts verloren: Lade die Seite neu und sieh nach.",
  reload: "Neu laden",
  tryAgain: "Noch einmal versuchen",
  cancel: "Abbrechen",
  close: "Schließen",
  copy: "Kopieren",
  show: "Zeigen",
  hide: "Verbergen",
  undo: "Rückgängig",
  loading: "Lädt",
  why: "Was das heißt und was zu tun ist",
  requestId: "Anfrage",
  proveTitle: "Noch einmal dein Passwort",
  goOn: "Weiter",
  password: "Passwort",
  waitSeconds: (seconds: number): string =>
    seconds === 1 ? "In 1 Sekunde geht es wieder." : `In ${seconds} Sekunden geht es wieder.`,
  waitOver: "Jetzt geht es wieder.",
  requestsMade: (count: number): string => `Anfragen dieser Seite (${count})`,
  requestsWhy: "Was eine Seite tut, kannst du mit curl auch: Es sind dieselben Anfragen.",
  noAnswer: "keine Antwort",
  justNow: "gerade eben",
  today: "heute",
  code: "Code aus der Mail",
  codeHint: "Acht Buchstaben und Ziffern, groß oder klein. Der Link in der Mail tut dasselbe.",
  codeAction: "Code verwenden",
  problems: {
    "wrong-code": {
      title: "Der Code passt nicht",
      detail: "Er ist falsch, zu alt, schon verbraucht oder aus einer anderen Mail. Bitte um eine neue Mail.",
    },
    "too-many-requests": {
      title: "Das war zu oft",
      detail: "In dieser Zeit geht es nicht noch einmal. Verloren ist nichts.",
    },
    "email-taken": {
      title: "Die Adresse ist vergeben",
      detail: "Es gibt schon ein Konto mit ihr.",
    },
    "switched-off": { title: "Das gibt es hier nicht", detail: "Dieser Server hat es abgeschaltet." },
    "wrong-credentials": {
      title: "Adresse oder Passwort stimmt nicht",
      detail:
        "Welches von beiden, sagen wir niemandem. Versuch es noch einmal, oder wähle per Mail ein neues Passwort.",
    },
    "email-not-verified": {
      title: "Die Adresse ist noch nicht bestätigt",
      detail: "Öffne den Link in der Mail, die an sie ging, oder lass dir eine neue schicken.",
    },
    "account-disabled": { title: "Das Konto ist gesperrt", detail: "Frag, wer diesen Server betreibt." },
    "password-change-required": {
      title: "Das Passwort muss ein neues sein",
      detail: "Wähle per Mail ein neues Passwort.",
    },
    busy: { title: "Der Server hat viel zu tun", detail: "Versuch es gleich noch einmal." },
    "": { title: "Der Server antwortet nicht", detail: "Verloren ist nichts: Versuch es gleich noch einmal." },
  },
  faults: {
    required: "fehlt",
    format: "muss eine E-Mail-Adresse sein",
    "too-short": "ist zu kurz",
    "too-long": "ist zu lang",
    common: "darf kein verbreitetes Passwort sein: Die werden zuerst probiert",
    context: "darf nichts enthalten, was zu deinem Konto gehört",
    unicode: "muss Text sein",
    unchanged: "darf nicht das alte Passwort sein",
  },
};
