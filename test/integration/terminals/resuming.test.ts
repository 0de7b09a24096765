import type { Duplex } from "node:stream";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { toTime } from "../../../backend/src/platform/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

describe("S-51 a terminal", () => {
  it("goes on where its viewer was cut off, and nothing is lost or said twice", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    viewer.type("one ");
    await viewer.shows("one ");
    await viewer.cut();
    await eventually(() => expect(host.only.channel).toBeUndefined());
    host.only.print("two ");
    expect(await scene.backend.api("listTerminals")).toMatchObject([{ id, attached: false }]);
    const again = await scene.viewer({ resume: { id, from: viewer.outputAt } });
    await again.shows("two ");
    again.type("three");
    await again.shows("three");
    expect(viewer.text + again.text).toBe("one two three");
    const entries = await scene.audited(2);
    expect(entries.map(({ action }) => action)).toEqual(["open", "resume"]);
    const address = { remote_ip: "127.0.0.1", client_id: "web-01", affected_id: id };
    expect(entries).toMatchObject([address, address]);
  });

  it("goes on when its host was cut off, which its viewer is told", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    viewer.type("one ");
    await viewer.shows("one ");
    await host.cut();
    expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
    host.only.print("two ");
    await host.connect();
    const again = await scene.viewer({ resume: { id, from: viewer.outputAt } });
    await again.shows("two ");
    expect(viewer.text + again.text).toBe("one two ");
  });

  it("stays with whoever came back to it before its host had said its first word", async () => {
    await using scene = await TerminalScene.open();
    const silent: Duplex[] = [];
    const host = await scene.host({
      onAttach: (terminal, channel) => {
        if (silent.length > 0) terminal.attach(channel);
        else silent.push(channel.on("error", () => {}));
      },
    });
    const first = await scene.asking();
    const id = await eventually(async () => {
      const [one] = await scene.backend.api("listTerminals");
      if (one?.attached !== true) throw new Error("nobody is attached yet");
      return terminalIdSchema.parse(one.id);
    });
    const second = await scene.viewer({ resume: { id } });
    expect(await first.closed).toMatchObject({ code: CLOSE_CODES.takenOver });
    second.type("here");
    await second.shows("here");
    expect(await scene.backend.api("listTerminals")).toMatchObject([{ id, attached: true }]);
    expect(host.ends).toEqual([]);
  });

  it("is not said to be refused while its host is away: that is over by itself", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    await host.cut();
    await viewer.closed;
    const away = await scene.asking({ resume: { id } });
    const reason = "The client is not connected.";
    expect(await away.closed).toEqual({ code: CLOSE_CODES.cutOff, reason });
    const another = await scene.asking();
    expect(await another.closed).toEqual({ code: CLOSE_CODES.refused, reason });
    await host.connect();
    const again = await scene.viewer({ resume: { id } });
    expect(await again.attached).toMatchObject({ id });
  });

  it("is not said to be gone by a server that its host has not told which ones it has", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    await scene.restart();
    const url = scene.backend.url.replace("http", "ws");
    host.tellsList = false;
    await host.connect(url);
    const early = await scene.asking({ resume: { id } });
    expect(await early.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
    await host.cut();
    host.tellsList = true;
    await host.connect(url);
    const again = await scene.viewer({ resume: { id } });
    expect(await again.attached).toMatchObject({ id });
  });

  it("is taken over by its owner's other place, and the first one is told", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    host.only.print("hello");
    const other = await scene.viewer({ resume: { id } });
    expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.takenOver });
    await other.shows("hello");
    expect(host.only.attachments).toBe(2);
    expect(await scene.backend.api("listTerminals")).toMatchObject([{ id, attached: true }]);
  });

  it("is nobody's but its owner's: others neither see, nor go on with, nor end it", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const anna = await scene.members.add("anna", ["Operators"]);
    const bert = await scene.members.add("bert", ["Operators"]);
    const boss = await scene.members.add("boss", ["Administrators"]);
    const viewer = await scene.viewer({ token: anna.token });
    const { id } = await viewer.attached;
    const params = { terminalId: id };
    expect(await bert.api.call("listTerminals")).toEqual([]);
    await expect(bert.api.call("deleteTerminal", { params })).rejects.toThrow("no such terminal");
    for (const { token } of [bert, boss]) {
      const asking = await scene.asking({ token, resume: { id } });
      const reason = "There is no such terminal of yours.";
      expect(await asking.closed).toEqual({ code: CLOSE_CODES.refused, reason });
    }
    expect(await boss.api.call("listTerminals")).toMatchObject([{ id, owner: "anna" }]);
    const query = { "filter[client_id]": "web-02" };
    expect(await boss.api.call("listTerminals", { query })).toEqual([]);
    expect(host.ends).toEqual([]);
    await boss.api.call("deleteTerminal", { params });
    expect(await viewer.ended).toEqual({ how: "closed" });
  });

  it("is found again by its owner after the server was started again", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    host.only.print("before ");
    await viewer.shows("before ");
    await scene.restart();
    expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.stopping });
    host.only.print("after");
    await host.connect(scene.backend.url.replace("http", "ws"));
    const again = await scene.viewer({ resume: { id, from: viewer.outputAt } });
    await again.shows("after");
    expect(viewer.text + again.text).toBe("before after");
    again.type("!");
    await again.shows("!");
  });

  it("that ended meanwhile tells how, once", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    await viewer.cut();
    await eventually(() => expect(host.only.channel).toBeUndefined());
    host.only.finish({ how: "exit", code: 7 });
    expect(await host.tellEnd(host.only)).toBe(true);
    expect(await host.tellEnd(host.only)).toBe(true);
    const again = await scene.asking({ resume: { id } });
    expect(await again.ended).toEqual({ how: "exit", code: 7 });
    expect(await again.closed).toMatchObject({ code: 1000 });
    const [, end, ...more] = await scene.audited(2);
    expect(more).toEqual([]);
    expect(end).toMatchObject({ action: "end", username: "local", affected_id: id });
    expect(JSON.parse(end?.response ?? "")).toMatchObject({
      from: expect.stringMatching(/^\d{4}-.*Z$/),
      to: toTime(host.only.endedAtMs),
      how: "exit",
      code: 7,
    });
  });
});
