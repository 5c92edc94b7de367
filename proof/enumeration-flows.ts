/** Who is asked about, and who asks, in the proof that nothing tells whether an account exists. */
export type Cast = {
  /** An account that has confirmed its address, where one can be made. */
  readonly known: string;
  /** One that has not. */
  readonly pending: string;
  /** Somebody else who is signed in. */
  readonly strangerToken: string | undefined;
};

/** A flow that must not tell whether an account exists: a request for an address. */
export type Flow = {
  readonly name: string;
  readonly path: string;
  readonly body: (email: string) => object;
  readonly known: (cast: Cast) => string;
  /** Asked by somebody who is signed in. */
  readonly isSignedIn?: true;
  /** Its limits, which must be off for the proof. */
  readonly limits: string;
};

const mail = {
  body: (email: string) => ({ email }),
  known: ({ known }: Cast) => known,
  limits: "LIMIT_MAIL_ADDRESS and LIMIT_MAIL_ACCOUNT",
};

/** Every such flow; a later one is one more row. */
export const flows: readonly Flow[] = [
  {
    name: "login",
    path: "/auth/login",
    body: (email) => ({ email, password: "not the password of anybody" }),
    known: ({ known }) => known,
    limits: "LIMIT_LOGIN_ADDRESS and LIMIT_LOGIN_ACCOUNT",
  },
  { ...mail, name: "forgotten password", path: "/auth/forgot-password" },
  { ...mail, name: "sign-in by mail", path: "/auth/magic" },
  { ...mail, name: "another confirmation", path: "/auth/verification", known: ({ pending }) => pending },
  { ...mail, name: "another address", path: "/users/me/email", isSignedIn: true },
  {
    ...mail,
    name: "sign-up",
    path: "/users/",
    body: (email) => ({ email, password: "a password of somebody who signs up" }),
    limits: "LIMIT_SIGN_UP and LIMIT_MAIL_ACCOUNT",
  },
];
