import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ENDPOINT_FILE, endpointFileSchema } from "@rport/protocol/endpointFile";
import { beforeAll, describe, expect, it } from "vitest";
import { builtAgent } from "../support/agents/builtAgent.ts";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const { serve } = await import(new URL("../../scripts/lib/serve.mjs", import.meta.url).href);

/** Where nothing is built yet. */
const FIRST_BUILD_MS = 400_000;
/** A start reads all sources; on a busy machine that takes its time. */
const START_MS = 30_000;

/** What `npm start` does once everything is built. */
async function start(dataDir: string, isTerminal: boolean, extra: readonly string[] = []) {
  const printed: string[] = [];
  const print = (text: string): void => void printed.push(text);
  const args = ["--data-dir", dataDir, "--port", "0", ...extra];
  const child = serve({ args, isTerminal, print });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  };
  await using opened = new AsyncDisposableStack();
  opened.defer(stop);
  await eventually(() => expect(child.connected).toBe(false), START_MS);
  opened.move();
  return { printed: printed.join("\n"), [Symbol.asyncDispose]: stop };
}

async function endpointOf(dataDir: string) {
  const text = await readFile(join(dataDir, ENDPOINT_FILE), "utf8");
  return endpointFileSchema.parse(JSON.parse(text));
}

describe("npm start", () => {
  beforeAll(() => builtAgent(), FIRST_BUILD_MS);

  it.each([
    ["a terminal", true, []],
    ["a log that asks for it", false, ["--print-pairing"]],
  ] as const)("prints a working pairing line on %s", async (_name, isTerminal, extra) => {
    await using temp = await tempDirectory();
    await using started = await start(temp.path, isTerminal, extra);
    const [, script = ""] = /(http:\/\/127\.0\.0\.1:\d+\/p\/\w+)/.exec(started.printed) ?? [];
    expect((await fetch(script)).status).toBe(200);
    expect(started.printed).toContain("The extension:");
  });

  it("makes no pairing and no secret where nobody reads the line", async () => {
    await using temp = await tempDirectory();
    await using started = await start(temp.path, false);
    expect(started.printed).toContain("--print-pairing");
    expect(started.printed).not.toMatch(/\/p\/|sudo/);
    const { url, token } = await endpointOf(temp.path);
    const answer = await fetch(`${url}/api/v1/pairings`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await answer.json()).toMatchObject({ data: [] });
  });
});
