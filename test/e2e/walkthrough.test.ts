import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Theme } from "../support/vscode/settings.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const THEMES: readonly Theme[] = ["light", "highContrast", "dark"];
const FLEET = "web-servers";

const STEPS = [
  "Connect to a server",
  "Create a credential",
  "Install the agent on a host",
  "Open a tunnel",
  "Rotate a credential before you need to",
] as const;

/** What their pictures say. */
const PICTURED = [
  "Hosts dial out",
  "one per laptop or team",
  "One line to paste",
  "A port of the host answers here",
  "Everybody stays connected",
] as const;

/** The walkthrough, whose steps are completed by really doing what they say. */
describe("the walkthrough", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    rport = resources.use(await openRport(backend.dataDir, {}));
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("is opened from the first view, when nothing is done yet", async () => {
    // as at the first start of an editor: old ones show their own walkthrough first
    await workbench.command("Help: Welcome");
    await workbench.page.locator(".gettingStartedContainer").waitFor();
    await workbench.command("View: Close All Editors");
    await rport.clients.welcome.getByText("Get started").click();
    await step(STEPS[0]).waitFor();
    expect(await done()).toEqual([]);
    for (const theme of THEMES) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`walkthrough-${theme}`);
    }
  });

  test("ticks the steps off as they are really done", async () => {
    await workbench.command("RPort: Use Local Backend");
    await expect.poll(done).toContain(STEPS[0]);
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    await expect.poll(done).toContain(STEPS[1]);
    const agent = await startAgent({
      server: backend.url,
      client: {
        fingerprint: backend.md5Fingerprint,
        auth: `${FLEET}:${password}`,
        id: "web-01",
        name: "web-01",
      },
    });
    resources.use(agent);
    await expect.poll(done).toContain(STEPS[2]);
    const remote = new URL(backend.url).port;
    const query = { remote: `127.0.0.1:${remote}` };
    await backend.api("createTunnel", { params: { clientId: "web-01" }, query });
    await expect.poll(done).toContain(STEPS[3]);
    await backend.api("rotateCredential", {
      params: { authId: FLEET },
      body: { grace_seconds: null },
    });
    await expect.poll(done).toContain(STEPS[4]);
    await workbench.screenshot("walkthrough-done");
  });

  test("shows a picture for each step where there is room, in the colours of the theme", async () => {
    // beside the side bar the window of a test is too narrow
    await workbench.command("View: Toggle Primary Side Bar Visibility");
    for (const [index, title] of STEPS.entries()) {
      await step(title).click();
      await workbench.webview(PICTURED[index] ?? "");
      await workbench.screenshot(`walkthrough-${title.toLowerCase().replaceAll(" ", "-")}`);
    }
    await workbench.command("View: Toggle Primary Side Bar Visibility");
  });

  function step(title: string) {
    return workbench.page.locator(".getting-started-step", { hasText: title });
  }

  /** Titles of the steps that are ticked off. */
  function done(): Promise<string[]> {
    return workbench.page
      .locator(".getting-started-step:has(.codicon-getting-started-step-checked) .step-title")
      .allInnerTexts();
  }
});
