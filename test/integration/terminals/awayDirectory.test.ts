import { expect, it } from "vitest";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import { nodePty } from "../../../agent/src/terminal/nodePty.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { LIBRARY } from "../../support/agents/keptTerminals.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { Members } from "../../support/backend/member.ts";
import { eventually } from "../../support/eventually.ts";
import { isAlive, online, settingsOf, shellOf } from "../../support/terminals/realScene.ts";
import { HOST_ID } from "../../support/terminals/scene.ts";
import { TerminalViewer } from "../../support/terminals/terminalViewer.ts";

const params = { clientId: HOST_ID };

/** An agent in this process whose own account can be looked up until a test says otherwise. */
async function startWithDirectory(settings: Parameters<typeof startAgent>[0]) {
  const platform = platformOf(process.platform);
  const { shells: usual } = platform;
  if (LIBRARY === undefined || usual === undefined) throw new Error("there are no terminals");
  const open = nodePty(LIBRARY);
  const directory = { isThere: true };
  const find = async (name?: string) => (directory.isThere ? await usual.find(name) : undefined);
  const shells = { ...usual, find };
  const agent = await startAgent(settings, {
    platform: { ...platform, shells },
    findPty: () => ({ open }),
  });
  return { agent, directory };
}

it.skipIf(LIBRARY === undefined)(
  "a terminal stays while no account can be looked up, also over a reconnect, and ends with its owner's rights",
  async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const { url, fingerprint } = backend;
    const settings = settingsOf(agentOf({ url, fingerprint }, password, HOST_ID));
    const { agent, directory } = await startWithDirectory(settings);
    await using _agent = agent;
    await online(() => backend.api("getClient", { params }));
    const members = new Members(backend);
    await members.group("Operators", "terminal");
    await backend.api("setClientAcl", { params, body: { allowed_user_groups: ["Operators"] } });
    const { token } = await members.add("anna", ["Operators"]);
    await using viewer = await TerminalViewer.attach({ url, token, clientId: HOST_ID });
    const { id } = await viewer.attached;
    const pid = await shellOf(viewer);
    directory.isThere = false;
    const left = agent.until(({ kind }) => kind !== "online");
    agent.agent.reconnect();
    await left;
    await agent.online();
    await viewer.closed;
    const resume = { id, from: viewer.outputAt };
    await using again = await TerminalViewer.attach({ url, token, clientId: HOST_ID, resume });
    again.type("echo still $((1 + 1)) here\r");
    await again.shows("still 2 here");
    const offered = await backend.api("getClient", { params });
    expect(offered.terminal).toMatchObject({ state: "system" });
    expect(await backend.api("listTerminals")).toMatchObject([{ id, connected: true }]);
    await backend.api("disableUser", { params: { userName: "anna" } });
    await eventually(() => expect(isAlive(pid)).toBe(false));
    await eventually(async () => expect(await backend.api("listTerminals")).toEqual([]));
  },
);
