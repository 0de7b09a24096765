import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Where a Chromium may be; `RPORT_TEST_CHROMIUM` comes first. */
const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** It runs as root in CI, without a display, and calls nobody. */
const quietArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
];

/** Path of a Chromium, or undefined when this machine has none. */
export function findChromium(): string | undefined {
  const asked = process.env.RPORT_TEST_CHROMIUM;
  return asked ?? places.find((place) => existsSync(place));
}

/** A headless browser with a fresh profile and one page. */
export class Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly #profile: string;

  /** Use {@link openBrowser}. */
  constructor(context: BrowserContext, page: Page, profile: string) {
    this.context = context;
    this.page = page;
    this.#profile = profile;
  }

  /** Closes it and removes its profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts a browser; the caller disposes of it. Rejects when there is no Chromium. */
export async function openBrowser(viewport = { width: 1280, height: 800 }): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("no Chromium on this machine");
  const profile = await mkdtemp(join(tmpdir(), "chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport,
    locale: "en-US",
    permissions: ["clipboard-read", "clipboard-write"],
    args: quietArguments,
  });
  return new Browser(context, context.pages()[0] ?? (await context.newPage()), profile);
}
