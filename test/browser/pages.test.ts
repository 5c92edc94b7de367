import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { startServer } from "../support/server-process.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const paths = ["/", "/errors", "/errors/validation-failed", "/errors/too-many-requests"];

test("the pages are for everybody: both schemes, any width, keyboard alone, nothing refused or loaded from elsewhere", async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const server = await startServer(t, { env: { LIMIT_API: "off" } });
  for (const colorScheme of ["light", "dark"] as const) {
    // axe is put into the page from outside; the page itself runs under its own policy in the second context.
    const inspected = await browser.newContext({ colorScheme, bypassCSP: true, reducedMotion: "reduce" });
    const seen = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
    for (const path of paths) {
      const forAxe = await inspected.newPage();
      await forAxe.goto(server.url + path);
      await forAxe.addScriptTag({ content: axe });
      const violations: unknown = await forAxe.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))",
      );
      assert.deepEqual(violations, [], `${path} ${colorScheme}`);

      const page = await seen.newPage();
      const complaints = complaintsOf(page);
      const foreign: string[] = [];
      let bytes = 0;
      page.on("response", (response) => {
        if (new URL(response.url()).origin !== server.url) foreign.push(response.url());
        void response
          .body()
          .then((body) => (bytes += gzipSync(body).length))
          .catch(() => undefined);
      });
      const response = await page.goto(server.url + path, { waitUntil: "networkidle" });
      assert.equal(response?.status(), 200);
      assert.deepEqual(complaints, [], path);
      assert.deepEqual(foreign, [], path);
      assert.ok(bytes > 0 && bytes <= 60 * 1024, `${path} has ${bytes} bytes`);
      const overflow: unknown = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      assert.equal(overflow, 0, `${path} scrolls sideways at 320 px`);
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
      await page.close();
    }
  }
});
