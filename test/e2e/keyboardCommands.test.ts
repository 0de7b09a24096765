import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { addUser } from "../support/backend/person.ts";
import { TRIED_COMMANDS } from "../support/vscode/keyboardCommands.ts";
import { type KeyboardTrial, openTrial } from "../support/vscode/keyboardTrial.ts";
import type { Keys } from "../support/vscode/keys.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { misspoken } from "../support/vscode/seen.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window and a server need together on a busy machine. */
const SLOW_MS = 60_000;
const ANNA = "anna";
const LAPTOPS = "laptops";
const DAY_S = 86_400;

/** Commands by palette and by menu, by somebody who has no mouse. */
describe("commands by the keyboard", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let workbench: Workbench;
  let keys: Keys;
  let trial: KeyboardTrial;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    await backend.api("createCredential", { body: { id: LAPTOPS } });
    await backend.api("revokeClient", { params: { clientId: "machine-4" } });
    const params = { authId: FLEET };
    await backend.api("rotateCredential", { params, body: { grace_seconds: DAY_S } });
    const groups = [groupNameSchema.parse(ADMINISTRATORS)];
    await addUser(backend, ANNA, { groups });
    await addUser(backend, "bert", { groups });
    trial = await openTrial(resources, backend);
    ({ keys, workbench } = trial);
    await keys.tabTo("Sign In");
    await keys.press("Enter");
    await trial.signIn(ANNA, "web-01");
    await keys.open("Clients", "Offline");
    await keys.run("RPort: Open Tunnel...");
    await keys.pick("web-01");
    await keys.pick("SSH");
    await workbench.pane("Tunnels").row("SSH").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test.each(TRIED_COMMANDS)("$title", async ({ title, palette = "asks", place, menu = "asks" }) => {
    await trial.palette(title);
    await trial.comesTo(palette);
    if (place === undefined) return;
    await trial.menu(place, title);
    await trial.comesTo(menu);
  });

  test("find rows that tell their state in words, not by colour alone", async () => {
    await trial.leave();
    await keys.open("Client Access", FLEET);
    const labels = await Promise.all(
      ["Clients", "Client Access", "Tunnels", "Users"].map((view) => workbench.pane(view).labels()),
    );
    const spoken = labels.flat();
    for (const row of SPOKEN) expect(spoken).toContainEqual(expect.stringMatching(row));
    expect(await misspoken(workbench.page)).toEqual([]);
    await workbench.screenshot("keyboard-rows");
    expect(workbench.errors).toEqual([]);
  });
});

/** What is said of rows whose icon has a colour. */
const SPOKEN = [
  /^web-01, online, /,
  /^build-arm, offline, last seen /,
  /^cache-01, offline, .*revoked/,
  /^web-fleet, rotating, \d of \d moved, /,
  /^laptops, .*unused/,
  /^127\.0\.0\.1:\d+, leads to web-01:22 SSH, /,
  /^anna, you, Administrators, connected, /,
  /^bert, Administrators, never signed in/,
];
