/** The server cannot start, for a reason the person who starts it can change. The message is a whole sentence. */
export class StartError extends Error {
  override readonly name = "StartError";
}
