import { Field } from "../parts/field.tsx";
import { screenFacts } from "../parts/screen-facts.ts";
import { mailWords as words } from "./mail-words.ts";

type NewPasswordProps = {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly error: string | undefined;
};

export function NewPassword(props: NewPasswordProps) {
  return (
    <Field
      label={words.newPassword}
      name="new_password"
      type="password"
      autocomplete="new-password"
      required
      hint={words.passwordRule(screenFacts.passwordLengthMin)}
      {...props}
    />
  );
}
