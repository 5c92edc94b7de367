import { useEffect, useRef, useState } from "preact/hooks";
import type { paths } from "../api-types.d.ts";
import { type Asked, useAsked } from "../parts/ask-hooks.ts";
import { Confirm } from "../parts/confirm.tsx";
import { deviceName } from "../parts/device-name.ts";
import { Moment } from "../parts/moment.tsx";
import { ProblemNotice } from "../parts/notice.tsx";
import { needsProof, ProveAgain } from "../parts/prove-again.tsx";
import { toast } from "../parts/toasts.tsx";
import { type Answer, api, ask, type Problem, type Success } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Shown } from "./shown.tsx";

type UserDetail = Success<paths["/admin/users/{id}"]["get"]>;
type Changes = NonNullable<paths["/admin/users/{id}"]["patch"]["requestBody"]>["content"]["application/json"];

type UserDialogProps = {
  readonly id: number;
  readonly onClose: () => void;
  /** The list is to be read anew. */
  readonly onChanged: () => void;
};

/** One account, with all that an administrator can do to it. */
export function UserDialog({ id, onClose, onChanged }: UserDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const asked = useAsked(() => ask(api.GET("/admin/users/{id}", { params: { path: { id } } })), [id]);
  return (
    <dialog ref={dialog} class="user-dialog" aria-labelledby="user-title" onClose={onClose}>
      <Shown asked={asked}>
        {(user) => (
          <>
            <h2 id="user-title">{user.email}</h2>
            <Facts user={user} />
            <Sessions id={id} />
            <Actions user={user} asked={asked} onChanged={onChanged} onGone={() => dialog.current?.close()} />
          </>
        )}
      </Shown>
      <p class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {words.close}
        </button>
      </p>
    </dialog>
  );
}

function Facts({ user }: { readonly user: UserDetail }) {
  const { id, display_name: name, role, disabled, created_at: madeAt, last_sign_in_at: lastSignIn } = user;
  return (
    <dl class="facts">
      <dt>{words.id}</dt>
      <dd>{id}</dd>
      <dt>{words.name}</dt>
      <dd>{name ?? words.none}</dd>
      <dt>{words.role}</dt>
      <dd>{role}</dd>
      <dt>{words.state}</dt>
      <dd>{disabled ? words.disabled : words.enabled}</dd>
      <dt>{words.made}</dt>
      <dd>
        <Moment at={madeAt} />
      </dd>
      <dt>{words.lastSignIn}</dt>
      <dd>{lastSignIn === null ? words.never : <Moment at={lastSignIn} />}</dd>
      <dt>{words.sessions}</dt>
      <dd>{user.living_sessions}</dd>
    </dl>
  );
}

function Sessions({ id }: { readonly id: number }) {
  const asked = useAsked(() => ask(api.GET("/admin/users/{id}/sessions", { params: { path: { id } } })), [id]);
  return (
    <details>
      <summary>{words.sessions}</summary>
      <Shown asked={asked}>
        {({ items }) => (
          <ul>
            {items.length === 0 ? <li>{words.noSessions}</li> : null}
            {items.map((session) => (
              <li key={session.id}>
                {deviceName(session.user_agent) ?? words.none} · {session.address} ·{" "}
                <Moment at={session.last_used_at} />
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </details>
  );
}

type ActionsProps = {
  readonly user: UserDetail;
  readonly asked: Asked<UserDetail>;
  readonly onChanged: () => void;
  readonly onGone: () => void;
};

type Asking = "end-sessions" | "require-password" | "delete" | "prove";

/** What can be done to an account, and what came of it. */
function useActions({ user, asked, onChanged, onGone }: ActionsProps) {
  const [asking, setAsking] = useState<Asking>();
  const [problem, setProblem] = useState<Problem>();
  const path = { id: user.id };
  const after = (answer: Answer<unknown>, what: string, undo?: () => void): void => {
    setAsking(undefined);
    setProblem("problem" in answer ? answer.problem : undefined);
    if ("data" in answer) toast(words.changed(user.email, what), undo);
    asked.again();
    onChanged();
  };
  const change = async (body: Changes, what: string, back?: readonly [Changes, string]): Promise<void> =>
    after(
      await ask(api.PATCH("/admin/users/{id}", { params: { path }, body })),
      what,
      back && (() => void change(...back)),
    );
  const remove = async (): Promise<void> => {
    const answer = await ask(api.DELETE("/users/{id}", { params: { path } }));
    if (needsProof(answer)) return setAsking("prove");
    after(answer, words.isDeleted);
    if ("data" in answer) onGone();
  };
  const endSessions = async (): Promise<void> =>
    after(await ask(api.DELETE("/admin/users/{id}/sessions", { params: { path } })), words.isSignedOut);
  return { asking, setAsking, problem, change, remove, endSessions };
}

/** What can be undone is done at once, with a way back; what cannot is asked for first. */
function Actions(props: ActionsProps) {
  const { asking, setAsking, problem, change, remove, endSessions } = useActions(props);
  const { email, role, disabled, password_change_required: mustChange = false } = props.user;
  const otherRole = role === "admin" ? "user" : "admin";
  const changeRole = (): Promise<void> =>
    change({ role: otherRole }, words.roleIs(otherRole), [{ role }, words.roleIs(role)]);
  const toggleDisabled = (): Promise<void> => {
    const saidOf = (isDisabled: boolean): string => (isDisabled ? words.isDisabled : words.isEnabled);
    return change({ disabled: !disabled }, saidOf(!disabled), [{ disabled }, saidOf(disabled)]);
  };
  const togglePassword = (): void =>
    mustChange ? void change({ password_change_required: false }, words.needNotChange) : setAsking("require-password");
  return (
    <>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <p class="actions">
        <button type="button" onClick={() => void changeRole()}>
          {words.makeRole(otherRole)}
        </button>
        <button type="button" onClick={() => void toggleDisabled()}>
          {disabled ? words.enable : words.disable}
        </button>
        <button type="button" onClick={() => setAsking("end-sessions")}>
          {words.endSessions}
        </button>
        <button type="button" onClick={togglePassword}>
          {mustChange ? words.waivePassword : words.requirePassword}
        </button>
        <button type="button" class="danger" onClick={() => setAsking("delete")}>
          {words.deleteUser}
        </button>
      </p>
      <Questions
        asking={asking}
        email={email}
        onClose={() => setAsking(undefined)}
        onEndSessions={() => void endSessions()}
        onRequirePassword={() => void change({ password_change_required: true }, words.mustChange)}
        onDelete={() => void remove()}
      />
    </>
  );
}

type QuestionsProps = {
  readonly asking: Asking | undefined;
  readonly email: string;
  readonly onClose: () => void;
  readonly onEndSessions: () => void;
  readonly onRequirePassword: () => void;
  readonly onDelete: () => void;
};

function Questions({ asking, email, onClose, onEndSessions, onRequirePassword, onDelete }: QuestionsProps) {
  switch (asking) {
    case "end-sessions":
      return (
        <Confirm title={words.endSessions} action={words.endSessions} onConfirm={onEndSessions} onClose={onClose}>
          <p>{words.endSessionsText}</p>
        </Confirm>
      );
    case "require-password":
      return (
        <Confirm
          title={words.requirePassword}
          action={words.requirePassword}
          onConfirm={onRequirePassword}
          onClose={onClose}
        >
          <p>{words.requirePasswordText}</p>
        </Confirm>
      );
    case "delete":
      return (
        <Confirm
          title={words.deleteTitle(email)}
          action={words.deleteUser}
          isDangerous
          onConfirm={onDelete}
          onClose={onClose}
        >
          <p>{words.deleteText}</p>
        </Confirm>
      );
    case "prove":
      return <ProveAgain reason={words.proof} onProved={onDelete} onClose={onClose} />;
    case undefined:
      return null;
  }
}
