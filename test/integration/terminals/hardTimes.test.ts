import { CLOSE_CODES } from "@rport/protocol/errors";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { BEAT_MS, passBeat } from "../../support/terminals/beats.ts";
import {
  BACK_MS,
  COUNT,
  COUNTED,
  counted,
  isAlive,
  RealScene,
  shellOf,
  shown,
} from "../../support/terminals/realScene.ts";
import type { TerminalViewer } from "../../support/terminals/terminalViewer.ts";

const MINUTE_BEATS = 60_000 / BEAT_MS;
/** All of `COUNT` is written within this, on a busy machine, too. */
const ALL_MS = 60_000;
const CUT_OFF = {
  code: CLOSE_CODES.cutOff,
  reason: "The way to the host was cut; the terminal may be there still.",
};

/** A process that a shell has in front, by the way in which it answers a hangup. */
async function inFront(viewer: TerminalViewer, onHangup: "ends" | "ignores"): Promise<number> {
  const trap = onHangup === "ignores" ? 'trap "" HUP; ' : "";
  viewer.type(`sh -c '${trap}echo front=$$=; exec sleep 1000'\r`);
  await viewer.shows(/front=\d+=/);
  return Number(/front=(\d+)=/.exec(viewer.text)?.[1]);
}

beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)(
  "S-51 a terminal of a real agent $name",
  { timeout: 300_000 },
  ({ program }) => {
    it("notices nothing of a minute that its host sleeps", async () => {
      const clock = new FakeClock();
      await using scene = await RealScene.open(program, { clock });
      const viewer = await scene.viewer();
      viewer.type(COUNT);
      await eventually(() => expect(viewer.outputAt).toBeGreaterThan(10_000));
      scene.agent.signal("SIGSTOP");
      for (let beat = 0; beat < MINUTE_BEATS; beat += 1) {
        await passBeat({ clock, backend: scene.backend }, viewer);
      }
      scene.agent.signal("SIGCONT");
      await eventually(() => expect(viewer.text.includes("all of 2")).toBe(true), ALL_MS);
      expect(counted(viewer)).toBe(COUNTED);
    });

    it("goes on after its host has slept for longer than the server waits", async () => {
      const clock = new FakeClock();
      await using scene = await RealScene.open(program, { clock });
      const viewer = await scene.viewer();
      const { id } = await viewer.attached;
      viewer.type(COUNT);
      await eventually(() => expect(viewer.outputAt).toBeGreaterThan(10_000));
      scene.agent.signal("SIGSTOP");
      await eventually(async () => {
        await passBeat({ clock, backend: scene.backend }, viewer);
        const terminals = await scene.backend.api("listTerminals");
        expect(terminals).toMatchObject([{ id, connected: false }]);
      });
      expect(await viewer.closed).toEqual(CUT_OFF);
      scene.agent.signal("SIGCONT");
      await scene.online();
      const resume = { id, from: viewer.outputAt };
      const again = await eventually(() => scene.viewer({ resume }), BACK_MS);
      await eventually(() => expect(shown(viewer, again).includes("all of 2")).toBe(true), ALL_MS);
      expect(counted(viewer, again)).toBe(COUNTED);
    });

    it("ends with its shell and what runs in front when its agent is killed", async () => {
      await using scene = await RealScene.open(program);
      const [viewer, other, left] = [
        await scene.viewer(),
        await scene.viewer(),
        await scene.viewer(),
      ];
      const { id } = await viewer.attached;
      const shells = [await shellOf(viewer), await shellOf(other), await shellOf(left)];
      const front = await inFront(viewer, "ends");
      const deaf = await inFront(other, "ignores");
      await left.cut();
      scene.agent.signal("SIGKILL");
      expect(await scene.agent.ended).toBe("SIGKILL");
      await eventually(() => expect([...shells, front].filter(isAlive)).toEqual([]), BACK_MS);
      // As after `nohup`: who ignores the hangup goes on, whoever has lost the terminal.
      expect(isAlive(deaf)).toBe(true);
      process.kill(deaf, "SIGKILL");
      expect(await viewer.closed).toEqual(CUT_OFF);
      const listed = await scene.backend.api("listTerminals");
      expect(listed.map(({ connected }) => connected)).toEqual([false, false, false]);
      await scene.respawn();
      await eventually(async () => expect(await scene.backend.api("listTerminals")).toEqual([]));
      const again = await scene.asking({ resume: { id } });
      expect(await again.ended).toEqual({ how: "stopped" });
      expect(await again.closed).toMatchObject({ code: 1000 });
    });
  },
);
