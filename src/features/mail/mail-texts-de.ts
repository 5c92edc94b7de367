import type { MailTexts } from "./mail-texts.ts";

export const germanTexts: MailTexts = {
  mails: {
    "verify-email": {
      subject: "Bestätige deine E-Mail-Adresse",
      title: "Ist das deine Adresse?",
      paragraphs: ["Jemand, hoffentlich du, hat bei {product} ein Konto mit {email} angelegt."],
      button: "Adresse bestätigen",
      after: ["Wenn du das nicht warst, lass diese Mail liegen und bestätige nichts."],
    },
    "account-exists": {
      subject: "Du hast schon ein Konto",
      title: "Du hast schon ein Konto",
      paragraphs: [
        "Jemand, hoffentlich du, hat bei {product} {email} als Adresse eines neuen Kontos angegeben. Zu ihr gibt es schon ein Konto, also wurde nichts geändert.",
        "Wenn du das Passwort nicht mehr weißt, wähle auf der Seite zum Anmelden ein neues.",
      ],
      button: "Anmelden",
      after: ["Wenn du das nicht warst, ist nichts zu tun."],
    },
    "reset-password": {
      subject: "Wähle ein neues Passwort",
      title: "Wähle ein neues Passwort",
      paragraphs: ["Jemand, hoffentlich du, hat das Passwort des Kontos {email} bei {product} vergessen."],
      button: "Neues Passwort wählen",
      after: ["Wenn du das nicht warst, ist nichts zu tun: Das alte Passwort gilt weiter."],
    },
    "sign-in": {
      subject: "Bei {product} anmelden",
      title: "Anmelden",
      paragraphs: ["Jemand, hoffentlich du, möchte sich bei {product} als {email} anmelden."],
      button: "Anmelden",
      after: ["Wenn du das nicht warst, ist nichts zu tun. Gib den Link und den Code niemandem weiter."],
    },
    "change-email": {
      subject: "Bestätige deine neue E-Mail-Adresse",
      title: "Ist das deine neue Adresse?",
      paragraphs: ["Das Konto {email} bei {product} soll künftig die Adresse {newEmail} haben."],
      button: "Diese Adresse verwenden",
      after: ["Wenn du davon nichts weißt, lass diese Mail liegen und bestätige nichts."],
    },
    "email-changed": {
      subject: "Deine E-Mail-Adresse wurde geändert",
      title: "Deine E-Mail-Adresse wurde geändert",
      paragraphs: [
        "Das Konto {email} bei {product} hat jetzt eine andere Adresse: {newEmail}.",
        "Wenn du das warst, ist nichts zu tun. Wenn nicht, mach es rückgängig: Die alte Adresse gilt wieder, alle werden abgemeldet, und du wählst ein neues Passwort.",
      ],
      button: "Rückgängig machen",
    },
    "email-confirmed": {
      subject: "Das ist jetzt deine Adresse",
      title: "Das ist jetzt deine Adresse",
      paragraphs: ["Dein Konto bei {product} hat ab jetzt die Adresse {email}. Vorher hatte es eine andere."],
    },
    "new-device": {
      subject: "Anmeldung auf einem neuen Gerät",
      title: "Warst du das?",
      paragraphs: [
        "Jemand hat sich bei {product} als {email} angemeldet, von einem Ort, den wir noch nicht kennen.",
        "Wenn du das warst, ist nichts zu tun. Wenn nicht, sag es: Alle werden abgemeldet, das Passwort gilt nicht mehr, und du wählst ein neues.",
      ],
      button: "Das war ich nicht",
    },
    "password-changed": {
      subject: "Dein Passwort wurde geändert",
      title: "Dein Passwort wurde geändert",
      paragraphs: [
        "Das Konto {email} bei {product} hat ein neues Passwort.",
        "Wenn du es gewählt hast, ist nichts zu tun. Wenn nicht, sag es: Alle werden abgemeldet, jenes Passwort gilt nicht mehr, und du wählst ein anderes.",
      ],
      button: "Das war ich nicht",
    },
    "refresh-reused": {
      subject: "Wir haben eine deiner Sitzungen beendet",
      title: "Wir haben eine deiner Sitzungen beendet",
      paragraphs: [
        "Ein Schlüssel deiner Sitzung bei {product} wurde zweimal benutzt, also hat vielleicht noch jemand eine Kopie davon. Wir haben diese Sitzung abgemeldet; melde dich dort wieder an, wo du sie brauchst.",
        "Wenn etwas darauf hindeutet, dass jemand in deinem Konto ({email}) war, sag es: Alle werden abgemeldet, das Passwort gilt nicht mehr, und du wählst ein neues.",
      ],
      button: "Mein Konto sichern",
    },
    trial: {
      subject: "Eine Probemail von {product}",
      title: "Es geht",
      paragraphs: ["Diese Mail kam vom Befehl tollgate doctor --mail. Mit keinem Konto ist etwas geschehen."],
    },
  },
  layout: {
    buttonIsGoodFor: "Der Knopf gilt einmal, und zwar {lifetime} lang.",
    linkInstead: "Wenn er nicht geht, öffne diese Adresse:",
    codeInstead:
      "Auf einem anderen Gerät gib diesen Code dort ein, wo du um diese Mail gebeten hast. Er gilt {lifetime} lang.",
    asked: "Angefordert am {time}, mit {device}, von {address}.",
    happened: "Geschehen am {time}, mit {device}, von {address}.",
    why: "Du bekommst diese Mail wegen der Adresse {email} bei {product}.",
    questions: "Fragen? Schreib an {replyTo}.",
  },
  unknownDevice: "einem unbekannten Programm",
  programOnSystem: "{program} unter {system}",
};
