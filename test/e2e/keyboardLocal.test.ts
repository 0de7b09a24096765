import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEditor } from "../support/vscode/editor.ts";
import { EMPTY_COMPUTER, HomeBackend } from "../support/vscode/emptyComputer.ts";
import { LOCAL_REST_COMMANDS } from "../support/vscode/keyboardRest.ts";
import { KeyboardTrial } from "../support/vscode/keyboardTrial.ts";
import { Keys } from "../support/vscode/keys.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what has to start, stop or connect something. */
const SLOW_MS = 60_000;
const header = { view: "Clients" } as const;

/** The backend of this computer, started, read and ended by somebody without a mouse. */
describe("the local backend by the keyboard", () => {
  const resources = new AsyncDisposableStack();
  let workbench: Workbench;
  let keys: Keys;
  let trial: KeyboardTrial;

  beforeAll(async () => {
    const vsix = [await ensureVsix()];
    const editor = resources.use(await openEditor({ ...EMPTY_COMPUTER, vsix }));
    resources.use(new HomeBackend(editor));
    workbench = editor.workbench;
    keys = new Keys(workbench);
    trial = new KeyboardTrial(workbench, keys);
    await keys.view("Clients");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("is used, started, read and stopped, by palette and header", async () => {
    const { welcome, locator } = workbench.pane("Clients");
    // a welcome, and once it ran a message above the rows
    const isDown = () => locator.getByText("No backend is running").waitFor({ timeout: SLOW_MS });
    const runs = () => welcome.getByText("No clients yet").waitFor({ timeout: SLOW_MS });
    const stops = async () => {
      await keys.dialog("Stop Local Backend?", "Stop");
      await isDown();
    };
    await trial.bothWays(header, "Use Local Backend", async (use) => {
      await trial.servers();
      await welcome.getByText("Reach machines behind NAT").waitFor();
      await use();
      await isDown();
    });
    await trial.menu(header, "Start Local Backend");
    await runs();
    await trial.menuComesTo(header, "Show Local Backend Log", "shows");
    await trial.paletteComesTo("Show Local Backend Log", "shows");
    await trial.menuComesTo(header, "Choose Address of Local Backend...", "asks");
    await trial.paletteComesTo("Choose Address of Local Backend...");
    await trial.menuComesTo(header, "Restart Local Backend...", "warns");
    await trial.paletteComesTo("Restart Local Backend...", "warns");
    await trial.menu(header, "Stop Local Backend...");
    await stops();
    await trial.palette("Start Local Backend");
    await runs();
    await trial.palette("Stop Local Backend...");
    await stops();
    expect([...trial.fromPalette].sort()).toEqual([...LOCAL_REST_COMMANDS].sort());
    expect([...trial.fromMenu].sort()).toEqual([...LOCAL_REST_COMMANDS].sort());
    expect(workbench.errors).toEqual([]);
  });
});
