import { readdirSync, readFileSync } from "node:fs";

/** What Linux counts in, on every architecture that we know of. */
const ticksPerSecond = 100;

/** Seconds of CPU that each thread of a process has had, by thread id. */
export function threadSeconds(pid: number): ReadonlyMap<number, number> {
  const folder = `/proc/${pid}/task`;
  const seconds = new Map<number, number>();
  for (const thread of readdirSync(folder)) seconds.set(Number(thread), secondsIn(`${folder}/${thread}/stat`));
  return seconds;
}

/** Seconds of CPU that a process has had. */
export function processSeconds(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`);
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

// Fields 14 and 15 (proc_pid_stat(5)), counted from the end of the name, which may hold spaces.
function secondsIn(path: string): number {
  const fields = readFileSync(path, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
