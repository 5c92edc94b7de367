import { readdirSync, readFileSync } from "node:fs";

/** What Linux counts in, on every architecture that we know of. */
const ticksPerSecond = 100;

export type ThreadTime = { readonly niceness: number; readonly seconds: number };

/** How much CPU each thread of a process has had. */
export function threads(pid: number): readonly ThreadTime[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((thread) => timeIn(`${folder}/${thread}/stat`));
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
function timeIn(path: string): ThreadTime {
  const fields = readFileSync(path, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return { niceness: Number(fields[16]), seconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond };
}
