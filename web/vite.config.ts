import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import { chaptersPlugin } from "./chapters-plugin.ts";

/** A page's script: its name in the server's table of screens (src/features/pages/screens.ts) → its file. */
const entries = {
  account: "account/account.tsx",
  console: "console/console.tsx",
  lab: "lab/lab.tsx",
  learn: "learn/learn.tsx",
  mail: "mail/mail.tsx",
  page: "page.ts",
  "sign-in": "sign-in/sign-in.tsx",
};

// Only what the policy of the pages allows: no inline script or style, no data: URLs.
// oxlint-disable-next-line import/no-default-export -- Vite reads the default export.
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [chaptersPlugin(), compressed()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    // Those that know light-dark(), which all stylesheets use.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: { input: entries, checks: { pluginTimings: false } },
  },
});

/** Each file beside itself as the browser wants it sent, so that the server compresses nothing. */
function compressed(): Plugin {
  return {
    name: "tollgate-compressed",
    apply: "build",
    writeBundle: ({ dir = "" }, bundle) => {
      for (const name of Object.keys(bundle)) {
        if (name.endsWith(".json")) continue;
        const path = join(dir, name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
      }
    },
  };
}
