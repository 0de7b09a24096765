import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startAgent, type TestAgent } from "../support/agents/agent.ts";
import { type SpawnedBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { HOSTILE_TEXTS } from "../support/hostileTexts.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";

/** How long one attempt to see a tooltip takes at most. */
const ATTEMPT_MS = 4_000;

describe("the tooltip of a host", () => {
  const stack = new AsyncDisposableStack();
  let backend: SpawnedBackend;
  let rport: RportEditor;
  let agent: TestAgent;

  beforeAll(async () => {
    const { path } = stack.use(await tempDirectory());
    backend = stack.use(await spawnBackend(path));
    const { url: server, fingerprint } = backend.endpoint;
    const { password } = await backend.api.call("createCredential", { body: { id: "fleet" } });
    const auth = `fleet:${password}`;
    const tags = HOSTILE_TEXTS.map((text) => text.slice(0, 60));
    const client = { fingerprint, auth, id: "host-1", name: "web-01", tags };
    agent = stack.use(await startAgent({ server, client }));
    await agent.online();
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = stack.use(await openRport(path, { settings: { "rport.servers": servers } }));
  });

  afterAll(() => stack.disposeAsync());
  photographFailures(() => rport.workbench);

  test("C-07: shows what the host says, without a link, picture, icon or markup of it", async () => {
    const row = rport.clients.row("web-01");
    const { page } = rport.editor.workbench;
    const hover = page.locator(".workbench-hover-container .hover-contents", { hasText: "Tags" });
    // a row that is drawn anew below a mouse that rests has no tooltip until the mouse moves
    await vi.waitFor(
      async () => {
        await page.mouse.move(0, 0);
        await row.hover();
        await hover.waitFor({ timeout: ATTEMPT_MS });
      },
      { timeout: 10 * ATTEMPT_MS },
    );
    const text = (await hover.textContent()) ?? "";
    expect(text).toContain("https://2130706433/NAME");
    expect(text).toContain("$(verified) NAME");
    expect(text).toContain("[NAME](command:workbench.action.quit)");
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    const alive = hover.locator("a, img, table, h1, h2, li, code, del, .codicon-verified");
    expect(await alive.evaluateAll((found) => found.map((one) => one.outerHTML))).toEqual([]);
  });
});
