import { asBuilt, asPage, languageAmong } from "../../platform/http/negotiation.ts";
import { route, type AnyRoute } from "../../platform/http/route.ts";
import type { BuiltFile, WebBuild } from "../../platform/http/web-build.ts";
import { html, pageOf } from "../../platform/http/web-pages.ts";
import type { Platform } from "../../platform/platform.ts";
import { type BuiltChapter, chapterListPage, chapterPage } from "./learn-pages.ts";
import { type Screen, screens } from "./screens.ts";

/** The pages that a script makes, and what the build made of web/. None of it is part of the API. */
export function pageRoutes(platform: Platform, build: WebBuild): readonly AnyRoute[] {
  return [
    changePasswordRoute,
    ...screens
      .filter(({ isThere }) => isThere?.(platform.config) ?? true)
      .flatMap((screen) => screenRoutes(platform, screen, build)),
    ...learnRoutes(platform, build),
    ...build.files.map((file) => fileRoute(file)),
  ];
}

/** Where password managers send people whose password should change (W3C, Well-Known URL for Changing Passwords). */
const changePasswordRoute = route({
  method: "GET",
  url: "/.well-known/change-password",
  tag: "Pages",
  summary: "Where one changes one's password",
  access: "public",
  limit: "api",
  success: { status: 303, description: "`Location` is the page." },
  problems: [],
  handle: async (_request, reply) => void reply.header("location", "/account#password"),
});

function screenRoutes(platform: Platform, screen: Screen, build: WebBuild): AnyRoute[] {
  const english = screenPage(platform, screen, build, "en");
  const german = screen.german && screenPage(platform, { ...screen, ...screen.german }, build, "de");
  return [screen.path, ...(screen.paths ?? [])].map((url) =>
    german === undefined
      ? pageRoute(platform, url, screen.title, english)
      : translatedRoute(platform, url, screen.title, { en: english, de: german }),
  );
}

/** A page in the language of the mail whose link leads there (`l`), or that the browser prefers (decision 29). */
function translatedRoute(
  platform: Platform,
  url: string,
  summary: string,
  texts: { readonly en: string; readonly de: string },
): AnyRoute {
  return route({
    ...hiddenPage,
    url,
    summary,
    handle: async ({ headers }, reply) => {
      const asked = /[?&]l=(en|de)(?:-[\w-]*)?(?:&|$)/.exec(reply.request.url)?.[1];
      const language = asked === "en" || asked === "de" ? asked : languageAmong(["en", "de"], headers);
      reply.header("vary", "accept-language");
      return asPage(platform, reply, texts[language]);
    },
  });
}

function learnRoutes(platform: Platform, build: WebBuild): AnyRoute[] {
  const chapters = build.chapters as readonly BuiltChapter[];
  const frame = { mode: platform.config.mode, assets: build.assetsOf("learn") };
  return [
    pageRoute(platform, "/learn", "Learn", chapterListPage(chapters, frame)),
    ...chapters.map((chapter) =>
      pageRoute(platform, `/learn/${chapter.slug}`, chapter.title, chapterPage(chapters, chapter, frame)),
    ),
  ];
}

const hiddenPage = {
  method: "GET",
  tag: "Pages",
  access: "public",
  limit: "api",
  hidden: true,
  success: { status: 200, description: "The page." },
  problems: [],
} as const;

function pageRoute(platform: Platform, url: string, summary: string, text: string): AnyRoute {
  return route({ ...hiddenPage, url, summary, handle: async (_request, reply) => asPage(platform, reply, text) });
}

/**
 * What is known before the script runs stands still when it has: title, navigation, heading. The mode, what goes by mail,
 * and the rule for passwords, which the API's document tells too, save the script a question.
 */
function screenPage(
  { config, mailer }: Platform,
  { title, lead, script, place }: Screen,
  build: WebBuild,
  language: "en" | "de",
): string {
  const main = html`
<header class="screen-head"><h1>${title}</h1><p class="lead">${lead}</p></header>
<div id="screen" data-mode="${config.mode}" data-language="${language}" data-mail="${mailer === undefined ? "off" : "on"}" data-sign-in-by-mail="${config.mail.signInByMail ? "on" : "off"}" data-email-verification="${config.mail.emailVerification}" data-password-length-min="${config.passwordLengthMin}"><noscript><p class="notice">This page is made by a script, and scripts are off. Whatever it does, the API does too: see <a href="/docs">API docs</a>.</p></noscript></div>`;
  return pageOf({ title: `${title} · Tollgate`, at: place, main, language, assets: build.assetsOf(script) });
}

function fileRoute(file: BuiltFile): AnyRoute {
  return route({
    method: "GET",
    url: file.url,
    tag: "Pages",
    summary: "A file of the pages",
    access: "public",
    limit: "unlimited",
    hidden: true,
    success: { status: 200, description: "The file." },
    problems: [],
    handle: async (_request, reply) => asBuilt(reply, file),
  });
}
