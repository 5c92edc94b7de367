/**
 * A value that is there, or will be. For what every request passes: each `await` of what is there already costs a
 * promise and a turn of the queue, about a microsecond, and a request has dozens of such places.
 */
export type Awaitable<T> = T | Promise<T>;

/** Uses a value as soon as it is there: now, if it is. What `use` throws is thrown or rejects, accordingly. */
export function whenThere<T, R>(value: Awaitable<T>, use: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
