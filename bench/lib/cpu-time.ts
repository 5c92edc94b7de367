import { readdirSync, readFileSync } from "node:fs";

/** What Linux counts in, on every architecture that we know of. */
const ticksPerSecond = 100;

/** Of the hash threads of a server: see argon2-password-hasher.ts. */
export const hashingNiceness = 10;

/** Seconds of CPU that the hash threads of a server have had, and all its others. */
export function hashingSeconds(pid: number): { readonly hashing: number; readonly others: number } {
  const folder = `/proc/${pid}/task`;
  const sums = { hashing: 0, others: 0 };
  for (const thread of readdirSync(folder)) {
    const { niceness, seconds } = timeIn(`${folder}/${thread}/stat`);
    sums[niceness === hashingNiceness ? "hashing" : "others"] += seconds;
  }
  return sums;
}

/** Seconds of CPU that a process has had. */
export function processSeconds(pid: number): number {
  return timeIn(`/proc/${pid}/stat`).seconds;
}

/** Seconds of CPU that all processes of the machine have had, on all of its cores. */
export function machineSeconds(): number {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "";
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) / ticksPerSecond;
}

// Fields 14, 15 and 19 (proc_pid_stat(5)), counted from the end of the name, which may hold spaces.
function timeIn(path: string): { readonly niceness: number; readonly seconds: number } {
  const fields = readFileSync(path, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return { niceness: Number(fields[16]), seconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond };
}
