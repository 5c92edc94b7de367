import type { DoorWords, englishDoorWords, englishMailWords } from "./mail-words-en.ts";

const signIn = { path: "/sign-in?l=de", label: "Anmelden" } as const;
const account = { path: "/account", label: "Dein Konto" } as const;
const forgot = { path: "/mail/forgot?l=de", label: "Per Mail ein neues Passwort wählen" } as const;

export const germanDoorWords: Readonly<Record<keyof typeof englishDoorWords, DoorWords>> = {
  verify: {
    will: "Der Knopf bestätigt, dass die E-Mail-Adresse, an die diese Mail ging, deine ist.",
    action: "Adresse bestätigen",
    doneTitle: "Die Adresse ist bestätigt",
    doneText: "Sie ist deine, und Mail zu deinem Konto geht dorthin.",
    next: account,
    instead: {
      text: "Melde dich an und sieh nach: Vielleicht ist die Adresse schon bestätigt. Wenn nicht, bitte um eine neue Mail.",
      ...account,
    },
  },
  reset: {
    will: "Der Knopf gibt deinem Konto das Passwort, das du hier wählst, und meldet dich überall ab.",
    action: "Neues Passwort setzen",
    doneTitle: "Du hast ein neues Passwort",
    doneText: "Du bist überall abgemeldet. Melde dich mit dem neuen Passwort an.",
    next: signIn,
    instead: { text: "Bitte um eine neue Mail, und öffne die neueste.", ...forgot },
  },
  "change-email": {
    will: "Der Knopf gibt deinem Konto die E-Mail-Adresse, an die diese Mail ging.",
    action: "Diese Adresse verwenden",
    doneTitle: "Dein Konto hat die neue Adresse",
    doneText: "Von jetzt an meldest du dich mit ihr an. An die alte ging eine Mail, mit einem Weg zurück.",
    next: account,
    instead: {
      text: "Sieh in dein Konto: Vielleicht ist die Adresse schon geändert. Wenn nicht, bitte dort noch einmal darum.",
      ...account,
    },
  },
  "sign-in": {
    will: "Der Knopf meldet dich an, in diesem Browser.",
    action: "Hier anmelden",
    doneTitle: "Du bist angemeldet",
    doneText: "Dieser Browser bleibt angemeldet, bis du dich abmeldest.",
    next: account,
    instead: { text: "Bitte um eine neue Mail, oder melde dich mit deinem Passwort an.", ...signIn },
  },
  "undo-email-change": {
    will: "Der Knopf gibt deinem Konto die alte E-Mail-Adresse zurück, meldet alle ab und macht das Passwort unbrauchbar.",
    action: "Alte Adresse zurückholen",
    doneTitle: "Deine alte Adresse gilt wieder",
    doneText: "Alle sind abgemeldet. Mit einer Mail an die alte Adresse wählst du ein neues Passwort.",
    next: forgot,
    instead: {
      text: "Wenn dein Konto nicht mehr deines ist, wähle ein neues Passwort, oder frag, wer diesen Server betreibt.",
      ...forgot,
    },
  },
  "not-me": {
    will: "Der Knopf meldet alle von deinem Konto ab und macht sein Passwort unbrauchbar. Dann wählst du per Mail ein neues.",
    action: "Das war ich nicht",
    doneTitle: "Dein Konto ist für alle anderen gesperrt",
    doneText: "Alle sind abgemeldet. Mit einer Mail wählst du ein neues Passwort.",
    next: forgot,
    instead: { text: "Wähle zur Sicherheit ein neues Passwort: Auch das meldet alle ab.", ...forgot },
  },
};

export const germanMailWords: typeof englishMailWords = {
  noToken: "Öffne den Link in der Mail",
  noTokenText:
    "Diese Seite weiß allein durch den Link, was zu tun ist, und behält nichts davon. Öffne den Link noch einmal, oder kopiere die ganze Adresse aus der Mail.",
  refused: {
    used: "Dieser Link ist verbraucht",
    expired: "Dieser Link kam zu spät",
    void: "Dieser Link gilt nicht mehr",
    unknown: "Dieser Link ist nicht vollständig, oder nicht hierfür",
  },
  refusedOtherwise: "Dieser Link geht nicht mehr",
  newPassword: "Neues Passwort",
  passwordRule: (lengthMin: number): string =>
    `Mindestens ${lengthMin} Zeichen, welche du willst: Ein paar Wörter merken sich leichter als Zeichen.`,
  email: "E-Mail-Adresse",
  ask: "Schick mir eine Mail",
  askedTitle: "Eine Mail ist unterwegs, wenn es ein Konto gibt",
  askedText: (email: string): string =>
    `Wenn ${email} hier ein Konto hat, ist in einer Minute eine Mail mit einem Link und einem Code da. Sieh auch unter der unerwünschten Mail nach.`,
  elsewhere: "Liest du sie auf einem anderen Gerät? Dann gib ihren Code hier ein.",
  otherAddress: "Eine andere Adresse",
  remembered: "Wieder eingefallen?",
  knowsPassword: "Lieber mit dem Passwort?",
};
