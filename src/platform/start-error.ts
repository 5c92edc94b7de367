/** Why the server cannot start or a command cannot run: a sentence for a person. The process exits 1, without a stack. */
export class StartError extends Error {
  override readonly name = "StartError";
}
