const storageName = "tollgate learn";

/** Which steps were run and were as expected: `02-database/run-1`. Kept in this browser alone. */
export function readProgress(): Set<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageName) ?? "[]");
    return new Set(Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : []);
  } catch {
    return new Set(); // Storage may be off: then progress lasts as long as the page.
  }
}

export function markDone(chapter: string, step: string): void {
  try {
    localStorage.setItem(storageName, JSON.stringify([...readProgress().add(`${chapter}/${step}`)]));
  } catch {
    // As above.
  }
}
