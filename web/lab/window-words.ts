export const windowWords = {
  title: "Window",
  lead: "The sliding window of /users/limited, live. Each dot is a request; it ages, and leaves after the window's length.",
  fireOne: "Fire 1",
  fireSix: "Fire 6",
  fireBorder: "Fire 5, wait 2 seconds, fire 5",
  sliding: "Sliding window: what this server does",
  fixed: "Fixed window: the same requests, if the count began anew at each border",
  now: "now",
  secondsAgo: (seconds: number): string => `${seconds} s ago`,
  accepted: "accepted",
  refused: "refused",
  most: (count: number, quota: number, seconds: number): string =>
    `At most ${count} accepted in any ${seconds} seconds${count > quota ? `: more than the ${quota} that were promised` : ""}.`,
  empty: "Nothing fired yet.",
  last: "The last answer said",
  why: "Why sliding: a fixed window forgets all at its border. Who asks just before and just after it gets twice as much in two seconds.",
  list: "The requests in words",
} as const;
