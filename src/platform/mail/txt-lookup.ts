import { Resolver } from "node:dns/promises";

/**
 * What the name service says of the TXT records of a name: the records; that the name has none; that there is no such
 * name, nor any below it (RFC 8020); or nothing that helps.
 */
export type TxtAnswer =
  | { readonly kind: "records"; readonly records: readonly string[] }
  | { readonly kind: "no record" | "no name" | "no answer" };
export type TxtLookup = (name: string) => Promise<TxtAnswer>;

type TxtLookupOptions = {
  /** Asked in place of the servers that this machine asks: `127.0.0.1:53`. */
  readonly servers?: readonly string[] | undefined;
  readonly deadlineMilliseconds?: number;
};

const deadlineMillisecondsDefault = 5_000;

const noRecords: ReadonlyMap<string, TxtAnswer["kind"] & ("no record" | "no name")> = new Map([
  ["ENODATA", "no record"],
  ["ENOTFOUND", "no name"],
]);

/** Looks TXT records up. Each answer is there before the deadline, whatever the name service does. Does not throw. */
export function createTxtLookup({ servers, deadlineMilliseconds }: TxtLookupOptions = {}): TxtLookup {
  const deadline = deadlineMilliseconds ?? deadlineMillisecondsDefault;
  return async (name) => {
    const resolver = new Resolver({ timeout: deadline / 4, tries: 2 });
    if (servers) resolver.setServers(servers);
    const timer = setTimeout(() => resolver.cancel(), deadline);
    try {
      // A long record comes in pieces that belong together (RFC 7208 §3.3).
      const records = (await resolver.resolveTxt(name)).map((pieces) => pieces.join(""));
      return { kind: "records", records };
    } catch (error) {
      return { kind: noRecords.get((error as NodeJS.ErrnoException).code ?? "") ?? "no answer" };
    } finally {
      clearTimeout(timer);
    }
  };
}
