/** Parameters of argon2id (RFC 9106). */
export type HashParameters = {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly parallelism: number;
};

/**
 * Hashes passwords with argon2id in threads of its own, so that no event loop waits for it.
 * At most as many hashes at once as there are threads, a bounded queue behind them, a deadline for each.
 * Beyond them: `Problem("busy")` with `Retry-After`, at once.
 */
export type PasswordHasher = {
  /** Returns a PHC string, as `$argon2id$v=19$m=19456,t=2,p=1$…`. */
  readonly hash: (password: string) => Promise<string>;
  /** Whether the password made this PHC string. Throws only `Problem("busy")`; a malformed string is `false`. */
  readonly verify: (phc: string, password: string) => Promise<boolean>;
  /** Costs what `verify` costs and finds nothing: for accounts that do not exist. */
  readonly verifyNothing: (password: string) => Promise<false>;
  /** Throws `Problem("busy")` when a hash would be refused at once: asked first, it saves all that comes before. */
  readonly requireRoom: () => void;
  /** Whether this PHC string was made with other parameters than those in force now. */
  readonly needsRehash: (phc: string) => boolean;
  /** Figures since the start, for readiness, metrics and tests. */
  readonly stats: () => {
    readonly running: number;
    readonly queued: number;
    readonly completed: number;
    readonly refused: number;
  };
  readonly close: () => Promise<void>;
};
