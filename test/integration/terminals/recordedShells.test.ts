import { beforeAll, describe, expect, it } from "vitest";
import { spawnAgent } from "../../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/freePort.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { endedRecordings, readRecording } from "../../support/terminals/recordings.ts";
import { TerminalViewer } from "../../support/terminals/terminalViewer.ts";

const HOST = "web-01";
const BACK_MS = 20_000;
const LINES = 20_000;
const COUNTED = Array.from({ length: LINES }, (_, at) => `row ${at + 1}\r\n`).join("");
const COUNT = `stty -echo; i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo row $i; done; echo all of $((1 + 1))\r`;
const PASSWORD = "hunter2-is-not-recorded";

/** The whole of the agents is built first. */
beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)("S-63 the recordings of a real shell $name", ({ program }) => {
  it("have all that it showed after the server was killed in the middle, nothing twice, and no password", async () => {
    await using temp = await tempDirectory();
    const args = ["--port", String(await freePort())];
    const server = { environment: { RPORT_TERMINALS_RECORD: "true" } };
    await using first = await spawnBackend(temp.path, args, server);
    const { url, fingerprint, token } = first.endpoint;
    const password = await makeFleet(first.api);
    const settings = agentOf({ url, fingerprint }, password, HOST);
    const terminal = { enabled: true, shell: "/bin/sh" };
    await using _agent = await spawnAgent({ ...settings, terminal }, program);
    const params = { clientId: HOST };
    const online = (api: typeof first.api) =>
      eventually(async () => {
        const { connection_state: state } = await api.call("getClient", { params });
        expect(state).toBe("connected");
      }, BACK_MS);
    await online(first.api);
    await using viewer = await TerminalViewer.attach({ url, token, clientId: HOST });
    const { id, recorded } = await viewer.attached;
    expect(recorded).toBe(true);
    // what is typed before is shown by the terminal itself
    viewer.type("stty -echo; echo hidden-$((1 + 1))\r");
    await viewer.shows("hidden-2");
    viewer.type('read typed; stty echo; echo got $(printf %s "$typed" | wc -c)\r');
    viewer.type(`${PASSWORD}\r`);
    await viewer.shows(`got ${PASSWORD.length}`);
    viewer.type(COUNT);
    await eventually(() => expect(viewer.outputAt).toBeGreaterThan(20_000));
    await first.kill();
    await viewer.closed;
    await using second = await spawnBackend(temp.path, args, server);
    await online(second.api);
    const at = { url, token: second.endpoint.token, clientId: HOST };
    const resume = { id, from: viewer.outputAt };
    await using again = await TerminalViewer.attach({ ...at, resume });
    await eventually(() => expect(again.text).toContain("all of 2"), BACK_MS);
    again.type("exit 0\r");
    await again.ended;
    const api = { api: second.api.call.bind(second.api) };
    const [one, other] = await endedRecordings(api, 2);
    if (one === undefined || other === undefined) throw new Error("there are not two parts");
    expect([one.state, other.state]).toEqual(["unfinished", "whole"]);
    const parts = [await readRecording(api, one), await readRecording(api, other)];
    const all = parts.map(({ text }) => text).join("");
    expect(all.slice(all.indexOf("row 1\r\n")).startsWith(`${COUNTED}all of 2`)).toBe(true);
    expect(all.includes(PASSWORD)).toBe(false);
    expect(parts[0]?.marks).toContain("has no end");
    expect(parts[1]?.marks).toBe("");
    // nothing was shown that is not recorded
    expect(parts[0]?.text.startsWith(viewer.text)).toBe(true);
  });
});
