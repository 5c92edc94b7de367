import { lazy, LocationProvider, Route, Router, useLocation } from "preact-iso";
import { useSignedInUser } from "../parts/ask-hooks.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Skeleton } from "../parts/loading.tsx";
import { mountScreen } from "../parts/mount.tsx";
import { Notice, ProblemNotice } from "../parts/notice.tsx";
import type { User } from "../server.ts";
import { consoleWords as words } from "./console-words.ts";
import { Overview } from "./overview.tsx";
import "./console.css";

// Each comes when it is first looked at: the overview is what most people see.
const Users = lazy(async () => (await import("./users.tsx")).Users);
const Mail = lazy(async () => (await import("./mail.tsx")).Mail);
const Decisions = lazy(async () => (await import("./decisions.tsx")).Decisions);
const Limits = lazy(async () => (await import("./limits.tsx")).Limits);
const Keys = lazy(async () => (await import("./keys.tsx")).Keys);
const Settings = lazy(async () => (await import("./settings.tsx")).Settings);
const Health = lazy(async () => (await import("./health.tsx")).Health);

/** Administration. Each view is a client of a few routes under /admin. */
function Console() {
  const { answer, again } = useSignedInUser();
  if (answer === undefined) return <Skeleton lines={8} />;
  if ("problem" in answer) return <ProblemNotice problem={answer.problem} onRetry={again} />;
  if (answer.data.role !== "admin") return <NotAllowed user={answer.data} />;
  return (
    <LocationProvider scope="/console">
      <div class="wide console">
        <Places />
        <Router>
          <Route path="/console" component={Overview} />
          <Route path="/console/users" component={Users} />
          <Route path="/console/mail" component={Mail} />
          <Route path="/console/decisions" component={Decisions} />
          <Route path="/console/limits" component={Limits} />
          <Route path="/console/keys" component={Keys} />
          <Route path="/console/settings" component={Settings} />
          <Route path="/console/health" component={Health} />
        </Router>
      </div>
    </LocationProvider>
  );
}

function Places() {
  const { path } = useLocation();
  return (
    <nav class="tabs" aria-label={words.sections}>
      {(Object.keys(words.places) as (keyof typeof words.places)[]).map((place) => {
        const href = place === "overview" ? "/console" : `/console/${place}`;
        return (
          <a key={place} href={href} {...(path === href ? { "aria-current": "page" as const } : {})}>
            {words.places[place]}
          </a>
        );
      })}
    </nav>
  );
}

function NotAllowed({ user }: { readonly user: User }) {
  const command = words.makeAdministrator(user.email);
  return (
    <Notice kind="plain" title={words.notAllowedTitle}>
      <p>{words.notAllowed}</p>
      <p>
        <code>{command}</code> <CopyButton text={command} what="" />
      </p>
    </Notice>
  );
}

mountScreen(<Console />);
