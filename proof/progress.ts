/** Draws a bar on a terminal; elsewhere a line at each tenth. */
export function createProgress(
  total: number,
  write: (text: string) => void,
  isTerminal: boolean,
): (done: number) => void {
  let tenths = 0;
  return (done) => {
    const share = Math.min(1, done / total);
    if (isTerminal) {
      const filled = Math.round(share * 40);
      write(`\r[${"#".repeat(filled)}${"·".repeat(40 - filled)}] ${done} of ${total}${done >= total ? "\n" : ""}`);
    } else if (Math.floor(share * 10) > tenths) {
      tenths = Math.floor(share * 10);
      write(`${tenths * 10} %\n`);
    }
  };
}
