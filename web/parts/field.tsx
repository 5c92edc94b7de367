import { useId, useState } from "preact/hooks";
import { partWords as words } from "./part-words.ts";

type FieldProps = {
  readonly label: string;
  readonly name: string;
  readonly type?: "text" | "email" | "password" | "search";
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** The rule, said before it is broken. */
  readonly hint?: string | undefined;
  /** What is wrong with the value; tied to the field and announced. */
  readonly error?: string | undefined;
  /** For password managers (WCAG 2.2, 1.3.5). */
  readonly autocomplete?:
    | "username"
    | "current-password"
    | "new-password"
    | "nickname"
    | "email"
    | "one-time-code"
    | "off";
  readonly required?: boolean;
  readonly maxLength?: number;
};

/** A label that stays, a field, the rule and what is wrong. A password can be shown. */
export function Field(props: FieldProps) {
  const { label, name, type = "text", value, onValue, hint, error, autocomplete, required, maxLength } = props;
  const id = useId();
  const [isShown, setIsShown] = useState(false);
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  const isPassword = type === "password";
  const input = {
    id,
    name,
    value,
    required: required === true,
    "aria-describedby": described || undefined,
    ...(error ? { "aria-invalid": "true" as const } : {}),
    ...(autocomplete === undefined ? {} : { autocomplete }),
    ...(maxLength === undefined ? {} : { maxLength }),
    onInput: ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => onValue(currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class="field-row">
        {type === "password" && !isShown ? (
          <input {...input} type="password" />
        ) : type === "email" ? (
          <input {...input} type="email" />
        ) : type === "search" ? (
          <input {...input} type="search" />
        ) : (
          <input {...input} type="text" />
        )}
        {isPassword ? (
          <button type="button" class="plain" aria-pressed={isShown} onClick={() => setIsShown(!isShown)}>
            {isShown ? words.hide : words.show}
            <span class="away"> {label}</span>
          </button>
        ) : null}
      </span>
      {hint ? (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      <p class="field-error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}
