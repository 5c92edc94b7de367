/**
 * Whether the domain that mail comes from says how to tell real mail from forged: SPF (RFC 7208), DKIM (RFC 6376) and
 * DMARC (RFC 7489). Large receivers refuse or hide mail from a domain that does not.
 */
import type { TxtAnswer, TxtLookup } from "../platform/mail/txt-lookup.ts";
import { type Check, failed } from "./check.ts";

/** One check each, or one alone where there is nothing to look up. */
export async function checkMailDomain(
  from: string,
  selector: string | undefined,
  lookUp: TxtLookup,
): Promise<readonly Check[]> {
  const domain = from.slice(from.lastIndexOf("@") + 1).toLowerCase();
  if (!domain.includes(".")) {
    const found = `MAIL_FROM is of ${domain}, which is no name on the Internet: there is nothing to look up.`;
    return [
      { name: "mail domain", state: "warning", found, cure: "Set MAIL_FROM to an address of a domain of yours." },
    ];
  }
  return Promise.all([checkSpf(domain, lookUp), checkDkim(domain, selector, lookUp), checkDmarc(domain, lookUp)]);
}

async function checkSpf(domain: string, lookUp: TxtLookup): Promise<Check> {
  const name = "mail SPF";
  const answer = await lookUp(domain);
  if (answer.kind === "no answer") return unanswered(name, domain);
  const records = recordsIn(answer, /^v=spf1(?: |$)/i);
  const [record = ""] = records;
  const cure = `Add a TXT record to ${domain} as whoever runs the relay says: "v=spf1 include:… -all".`;
  if (records.length === 0) return warning(name, `${domain} does not say who may send its mail.`, cure);
  if (records.length > 1) {
    return failed(name, `${domain} has ${records.length} SPF records, which counts as none.`, "Make them one.");
  }
  if (/(?:^| )\+?all\b/i.test(record)) {
    return failed(name, `${domain} lets everybody send its mail: ${record}`, 'End the record with "-all" or "~all".');
  }
  return ok(name, `${domain} says who may send its mail, and the relay must be among them: ${record}`);
}

async function checkDkim(domain: string, selector: string | undefined, lookUp: TxtLookup): Promise<Check> {
  const name = "mail DKIM";
  const place = `${selector === undefined ? "" : `${selector}.`}_domainkey.${domain}`;
  const answer = await lookUp(place);
  if (answer.kind === "no answer") return unanswered(name, place);
  const cure = "Have the relay sign for this domain, and add the TXT record that it names.";
  if (selector === undefined) {
    // Which selector the relay signs with, it alone knows; but below a name that is not there, there is no key at all.
    if (answer.kind === "no name")
      return warning(name, `${domain} seems to have no key that its mail is signed with.`, cure);
    return ok(name, `${domain} seems to have keys. To check one, name it: --dkim-selector <name>.`);
  }
  const [record] = recordsIn(answer, /(?:^|;)\s*p=/i);
  if (record === undefined) return failed(name, `There is no key at ${place}.`, cure);
  if (/(?:^|;)\s*p=\s*(?:;|$)/i.test(record)) return failed(name, `The key at ${place} was withdrawn.`, cure);
  return ok(name, `There is a key at ${place}; the relay must sign with it.`);
}

async function checkDmarc(domain: string, lookUp: TxtLookup): Promise<Check> {
  const name = "mail DMARC";
  const cure = `Add a TXT record to _dmarc.${domain}: "v=DMARC1; p=quarantine; rua=mailto:…".`;
  for (const owner of withParents(domain)) {
    const place = `_dmarc.${owner}`;
    const answer = await lookUp(place);
    if (answer.kind === "no answer") return unanswered(name, place);
    const records = recordsIn(answer, /^v=DMARC1\s*(?:;|$)/i);
    const [record] = records;
    if (record === undefined) continue;
    if (records.length > 1)
      return failed(name, `${place} has ${records.length} records, which counts as none.`, "Make them one.");
    const policy = /;\s*p=\s*(none|quarantine|reject)\b/i.exec(record)?.[1]?.toLowerCase();
    if (policy === undefined) return failed(name, `${place} names no policy: ${record}`, cure);
    if (policy !== "none") return ok(name, `${place} asks to ${policy} what is forged.`);
    return warning(
      name,
      `${place} asks for nothing to be done about forged mail (p=none).`,
      "When its reports are clean, write p=quarantine or p=reject.",
    );
  }
  return warning(name, `${domain} does not say what to do with forged mail.`, cure);
}

/** The domain and those above it that somebody can own: a record there counts for all below. */
function withParents(domain: string): readonly string[] {
  const labels = domain.split(".");
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join("."));
}

function recordsIn(answer: TxtAnswer, pattern: RegExp): readonly string[] {
  return answer.kind === "records" ? answer.records.filter((record) => pattern.test(record)) : [];
}

function unanswered(name: string, place: string): Check {
  const cure = "Run the command where names can be looked up.";
  return warning(name, `Not looked at: nobody answers for ${place}.`, cure);
}

function ok(name: string, found: string): Check {
  return { name, state: "ok", found };
}

function warning(name: string, found: string, cure: string): Check {
  return { name, state: "warning", found, cure };
}
