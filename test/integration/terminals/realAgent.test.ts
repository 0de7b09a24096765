import { writeFile } from "node:fs/promises";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { groupNameSchema } from "@rport/protocol/people/user";
import { beforeAll, describe, expect, it } from "vitest";
import { spawnAgent } from "../../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { newToken, PASSWORD, signIn } from "../../support/backend/person.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/freePort.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import {
  BACK_MS,
  COUNT,
  COUNTED,
  counted,
  isAlive,
  online,
  RealScene,
  settingsOf,
  shellOf,
  shown,
} from "../../support/terminals/realScene.ts";
import { HOST_ID as HOST } from "../../support/terminals/scene.ts";
import { TerminalViewer } from "../../support/terminals/terminalViewer.ts";

const params = { clientId: HOST };
const PROMPT_MS = 1_000;

/** The whole of the agents is built first. */
beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)(
  "a terminal of a real agent $name",
  { timeout: 300_000 },
  ({ program }) => {
    const setUp = () => RealScene.open(program);

    it("is typed into, gets the size that it is given, and ends with its code", async () => {
      await using scene = await setUp();
      const viewer = await scene.viewer({ size: { cols: 91, rows: 31 } });
      viewer.type("stty size\r");
      await viewer.shows("31 91");
      viewer.resize({ cols: 100, rows: 40 });
      viewer.type("stty size\r");
      await viewer.shows("40 100");
      viewer.type("exit 3\r");
      expect(await viewer.ended).toEqual({ how: "exit", code: 3 });
      expect(await viewer.closed).toMatchObject({ code: 1000 });
      expect(await scene.backend.api("listTerminals")).toEqual([]);
    });

    it("S-51 shows the rest of what was written before it ended while its viewer was away", async () => {
      await using scene = await setUp();
      await using temp = await tempDirectory();
      const viewer = await scene.viewer();
      const { id } = await viewer.attached;
      const sign = `${temp.path}/sign`;
      const wait = `until [ -e ${sign} ]; do sleep 0.05; done`;
      viewer.type(`echo waits $((1 + 1)); ${wait}; echo last $((1 + 1)) words; exit 3\r`);
      await viewer.shows("waits 2");
      await viewer.cut();
      await writeFile(sign, "");
      await eventually(async () => expect(await scene.backend.api("listTerminals")).toEqual([]));
      const again = await scene.viewer({ resume: { id, from: viewer.outputAt } });
      expect(await again.ended).toEqual({ how: "exit", code: 3 });
      expect(viewer.text + again.text).toContain("waits 2\r\nlast 2 words\r\n");
    });

    it("S-51 loses and repeats nothing while its viewer is cut off again and again", async () => {
      await using scene = await setUp();
      let viewer = await scene.viewer();
      const { id } = await viewer.attached;
      const viewers = [viewer];
      viewer.type(COUNT);
      const isAll = () => shown(...viewers).includes("all of 2");
      for (let cuts = 0; cuts < 5 && !isAll(); cuts += 1) {
        const enough = viewer.outputAt + 1_000;
        await eventually(() => expect(viewer.outputAt > enough || isAll()).toBe(true));
        await viewer.cut();
        viewer = await scene.viewer({ resume: { id, from: viewer.outputAt } });
        viewers.push(viewer);
      }
      await eventually(() => expect(isAll()).toBe(true));
      expect(viewers.length).toBeGreaterThan(1);
      expect(counted(...viewers)).toBe(COUNTED);
    });

    it("loses and repeats nothing when its agent is cut off", async () => {
      await using scene = await setUp();
      const viewer = await scene.viewer();
      const { id } = await viewer.attached;
      viewer.type(COUNT);
      await eventually(() => expect(viewer.outputAt).toBeGreaterThan(10_000));
      scene.line.cut();
      expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
      const resume = { id, from: viewer.outputAt };
      const again = await eventually(() => scene.viewer({ resume }), BACK_MS);
      await eventually(() => expect(shown(viewer, again)).toContain("all of 2"));
      expect(counted(viewer, again)).toBe(COUNTED);
    });

    it("goes on, for its owner alone, after the server was killed", async () => {
      await using temp = await tempDirectory();
      const args = ["--port", String(await freePort())];
      await using first = await spawnBackend(temp.path, args);
      const { url, fingerprint } = first.endpoint;
      const password = await makeFleet(first.api);
      const settings = settingsOf(agentOf({ url, fingerprint }, password, HOST));
      await using _agent = await spawnAgent(settings, program);
      await online(() => first.api.call("getClient", { params }));
      const group = groupNameSchema.parse("Operators");
      const body = { permissions: { terminal: true } };
      await first.api.call("putUserGroup", { params: { groupName: group }, body });
      await first.api.call("setClientAcl", { params, body: { allowed_user_groups: [group] } });
      const tokens = [];
      for (const username of ["anna", "bert"]) {
        const user = { username, password: PASSWORD, groups: [group] };
        await first.api.call("createUser", { body: user });
        tokens.push((await newToken({ url }, await signIn({ url }, username))).token);
      }
      const [anna = "", bert = ""] = tokens;
      const at = { url, clientId: HOST };
      await using viewer = await TerminalViewer.attach({ ...at, token: anna });
      const { id } = await viewer.attached;
      const pid = await shellOf(viewer);
      viewer.type(COUNT);
      await eventually(() => expect(viewer.outputAt).toBeGreaterThan(10_000));
      await first.kill();
      await viewer.closed;
      await using second = await spawnBackend(temp.path, args);
      await online(() => second.api.call("getClient", { params }));
      const resume = { id, from: viewer.outputAt };
      await using thief = await TerminalViewer.open({ ...at, token: bert, resume });
      expect(await thief.closed).toMatchObject({ code: CLOSE_CODES.refused });
      await using again = await TerminalViewer.attach({ ...at, token: anna, resume });
      await eventually(() => expect(shown(viewer, again)).toContain("all of 2"));
      expect(counted(viewer, again)).toBe(COUNTED);
      again.type("exit 0\r");
      await again.ended;
      expect(isAlive(pid)).toBe(false);
    });

    it("S-52 is gone with its shell within a second when its owner is disabled", async () => {
      await using scene = await setUp();
      const anna = await scene.members.add("anna", ["Operators"]);
      const shown = await scene.viewer({ token: anna.token });
      const left = await scene.viewer({ token: anna.token });
      const pids = [await shellOf(shown), await shellOf(left)];
      await left.cut();
      await scene.backend.api("disableUser", { params: { userName: "anna" } });
      await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]), PROMPT_MS);
      await shown.closed;
      await eventually(async () => expect(await scene.backend.api("listTerminals")).toEqual([]));
    });

    it("is gone with its shell within a second when its client is revoked", async () => {
      await using scene = await setUp();
      const shown = await scene.viewer();
      const left = await scene.viewer();
      const pids = [await shellOf(shown), await shellOf(left)];
      await left.cut();
      await scene.backend.api("revokeClient", { params });
      await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]), PROMPT_MS);
      await shown.closed;
    });

    it("that floods a viewer which does not read hears Ctrl+C, and then goes on", async () => {
      await using scene = await setUp();
      const viewer = await scene.viewer({ confirms: false });
      viewer.type("yes\r");
      await eventually(() => expect(viewer.outputAt).toBeGreaterThan(200_000));
      viewer.say({ kind: "urgent", offset: viewer.inputAt, bytes: Buffer.from("\u0003") });
      viewer.inputAt += 1;
      const confirming = setInterval(
        () => viewer.say({ kind: "outputTaken", offset: viewer.outputAt }),
        20,
      );
      viewer.type("echo still $((1 + 1)) here\r");
      await viewer.shows("still 2 here");
      clearInterval(confirming);
    });

    it("tells the last words of every program that ends at once", async () => {
      await using scene = await setUp();
      let lost = 0;
      for (let count = 0; count < 500; count += 1) {
        const viewer = await scene.viewer();
        viewer.type(
          `echo begin; printf '%05000d' ${count}; echo; echo last words ${count}; exit\r`,
        );
        await viewer.ended;
        if (!viewer.text.includes(`last words ${count}\r\n`)) lost += 1;
        await viewer.closed;
      }
      expect(lost).toBe(0);
      expect(await scene.backend.api("listTerminals")).toEqual([]);
    });
  },
);
