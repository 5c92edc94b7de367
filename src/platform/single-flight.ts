/** Does the work of a key, or joins the one that is under way: all who ask meanwhile get its one outcome. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** For what a herd of requests would else do once each: after a restart, or whenever something must be read anew. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const flight = work().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  };
}
