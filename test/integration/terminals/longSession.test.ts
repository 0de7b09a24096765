import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import { nodePty } from "../../../agent/src/terminal/nodePty.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { LIBRARY } from "../../support/agents/keptTerminals.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { BadLine } from "../../support/faults/badLine.ts";
import { withMoments } from "../../support/momentClock.ts";
import { BEAT_MS, passBeat } from "../../support/terminals/beats.ts";
import { settingsOf, shown } from "../../support/terminals/realScene.ts";
import { HOST_ID } from "../../support/terminals/scene.ts";
import { TerminalViewer } from "../../support/terminals/terminalViewer.ts";

const MINUTE_MS = 60_000;
const HOUR_BEATS = 3_600_000 / BEAT_MS;
/** Of whom the server has heard of late, it does not ask. */
const ASKED_MS = 50_000;
const HOURS = 24;
const TEST_MS = 240_000;
const params = { clientId: HOST_ID };

/** A backend and an agent on one clock that stands still, and the line between them. */
async function startDay() {
  if (LIBRARY === undefined) throw new Error("there is no library");
  const open = nodePty(LIBRARY);
  await using opened = new AsyncDisposableStack();
  const clock = new FakeClock();
  const backend = opened.use(await startBackend({ clock }));
  const password = await makeFleet({ call: backend.api });
  const line = opened.use(await BadLine.open(backend.port, Math.random));
  const { url, fingerprint, token } = backend;
  const settings = {
    ...settingsOf(
      agentOf({ url, fingerprint }, password, HOST_ID),
      `http://127.0.0.1:${line.port}`,
    ),
    // The server asks each minute whether the agent is there; it does not ask itself.
    connection: { keep_alive: "48h" },
  };
  const agent = opened.use(
    await startAgent(settings, { clock: withMoments(clock), findPty: () => ({ open }) }),
  );
  await agent.online();
  const resources = opened.move();
  return {
    agent,
    clock,
    backend,
    line,
    viewer: async (resume?: TerminalResume) => {
      const options = { url, token, clientId: HOST_ID };
      const viewer = await TerminalViewer.attach(
        resume === undefined ? options : { ...options, resume },
      );
      return resources.use(viewer);
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

type TerminalResume = Parameters<typeof TerminalViewer.attach>[0]["resume"];
type Day = Awaited<ReturnType<typeof startDay>>;

/** An hour in which the server asks agent and viewer for a sign each time that it does, and gets it. */
async function passHour({ clock, backend }: Day, viewer: TerminalViewer): Promise<void> {
  for (let beat = 0; beat < HOUR_BEATS; beat += 1) {
    const { last_heartbeat_at: before } = await backend.api("getClient", { params });
    const minute = Math.floor(clock.now() / MINUTE_MS);
    await passBeat({ clock, backend }, viewer);
    const roundAt = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS;
    const isRound = roundAt > minute * MINUTE_MS;
    const isAsked = isRound && roundAt - Date.parse(before ?? "") >= ASKED_MS;
    const heard = isAsked ? new Date(clock.now()).toISOString() : before;
    await eventually(async () => {
      const { connection_state, last_heartbeat_at } = await backend.api("getClient", { params });
      expect([connection_state, last_heartbeat_at]).toEqual(["connected", heard]);
    });
  }
}

/** The line of the agent is cut; it is back, and the viewer was told. */
async function cutAgent(
  { agent, clock, backend, line }: Day,
  viewer: TerminalViewer,
): Promise<void> {
  line.cut();
  expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
  await eventually(async () => {
    if (agent.agent.state.kind === "waiting") clock.advance(1_000);
    const { connection_state } = await backend.api("getClient", { params });
    expect(connection_state).toBe("connected");
  });
}

describe.skipIf(LIBRARY === undefined)("S-51 a terminal", () => {
  it(
    "of which one side or the other is cut off each hour of a day loses and doubles nothing",
    async () => {
      await using day = await startDay();
      let viewer = await day.viewer();
      const { id } = await viewer.attached;
      const viewers = [viewer];
      const typed: Buffer[] = [];
      for (let hour = 1; hour <= HOURS; hour += 1) {
        const line = Buffer.from(`echo hour $((${hour} * 100)) is over\r`);
        typed.push(line);
        viewer.type(line);
        // What was typed, and what comes of it, may be anywhere on its way now.
        if (hour % 2 === 0) await viewer.cut();
        else await cutAgent(day, viewer);
        const resume = { id, from: viewer.outputAt };
        viewer = await eventually(() => day.viewer(resume));
        viewers.push(viewer);
        const rest = Buffer.concat(typed).subarray(viewer.inputAt);
        if (rest.length > 0) viewer.type(rest);
        await viewer.shows(`hour ${hour * 100} is over\r\n`);
        await passHour(day, viewer);
      }
      const text = shown(...viewers);
      const hours = Array.from({ length: HOURS }, (_, at) => at + 1);
      const said = [...text.matchAll(/^hour (\d+) is over\r$/gm)].map(([, number]) => number);
      expect(said).toEqual(hours.map((hour) => String(hour * 100)));
      const echoed = [...text.matchAll(/echo hour \$\(\((\d+) /g)].map(([, number]) => number);
      expect(echoed).toEqual(hours.map(String));
      viewer.type("exit 7\r");
      expect(await viewer.ended).toEqual({ how: "exit", code: 7 });
    },
    TEST_MS,
  );
});
