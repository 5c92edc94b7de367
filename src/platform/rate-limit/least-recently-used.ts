/**
 * Entries by key in the order of their last use, a bounded number of them. Its own, because the rate limiter looks at
 * the one that was not used for longest with every request, for which a package makes an iterator each time.
 */
export type LeastRecentlyUsed<Entry extends Place> = {
  /** The entry of this key, made if there is none; it is now the one used last. When full, the longest unused goes. */
  readonly use: (key: string) => Entry;
  /** Looked at, not used. */
  readonly peek: (key: string) => Entry | undefined;
  readonly size: () => number;
  readonly longestUnused: () => Entry | undefined;
  readonly dropLongestUnused: () => void;
  /** The one used last comes first. */
  readonly entries: () => IterableIterator<Entry>;
};

/**
 * Where an entry stands. It is part of the entry: an object more for each key is one more that is not in the
 * processor's cache. Between the newest and the oldest stands one that is no entry, so that the ring has no end.
 */
export type Place = { readonly key: string; newer: Place; older: Place };

export function createLeastRecentlyUsed<Entry extends Place>(
  make: (place: Place) => Entry,
  { max }: { readonly max: number },
): LeastRecentlyUsed<Entry> {
  const entries = new Map<string, Entry>();
  const end = { key: "" } as Place;
  Object.assign(end, { newer: end, older: end });
  const longestUnused = (): Entry | undefined => (end.newer === end ? undefined : (end.newer as Entry));
  const dropLongestUnused = (): void => {
    const entry = longestUnused();
    if (entry === undefined) return;
    unlink(entry);
    entries.delete(entry.key);
  };
  return {
    use: (key) => {
      const known = entries.get(key);
      if (known !== undefined) {
        unlink(known);
        linkNewest(known, end);
        return known;
      }
      if (entries.size >= max) dropLongestUnused();
      const entry = make({ key, newer: end, older: end });
      linkNewest(entry, end);
      entries.set(key, entry);
      return entry;
    },
    peek: (key) => entries.get(key),
    size: () => entries.size,
    longestUnused,
    dropLongestUnused,
    entries: function* () {
      for (let at = end.older; at !== end; at = at.older) yield at as Entry;
    },
  };
}

function unlink({ newer, older }: Place): void {
  newer.older = older;
  older.newer = newer;
}

function linkNewest(entry: Place, end: Place): void {
  entry.newer = end;
  entry.older = end.older;
  end.older.newer = entry;
  end.older = entry;
}
