import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { HeldClock } from "../../support/terminals/heldClock.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

/** So long a host may say nothing about what it has attached somebody to. */
const ATTACHED_MS = 25_000;
const HOUR_MS = 3_600_000;

describe("what was never sent", () => {
  it("is confirmed by no host", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    viewer.type("four");
    await viewer.shows("four");
    host.only.say({ kind: "inputTaken", offset: 5 });
    const { code, reason } = await viewer.closed;
    expect(code).toBe(CLOSE_CODES.refused);
    expect(reason).toContain("The host broke the rules of terminals");
  });

  it("is confirmed by no viewer before its host has said a word", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onAttach: () => {} });
    const viewer = await scene.asking();
    await eventually(() => expect(host.terminals.size).toBe(1));
    viewer.say({ kind: "outputTaken", offset: 1 });
    const { code, reason } = await viewer.closed;
    expect(code).toBe(CLOSE_CODES.refused);
    expect(reason).toContain("it confirms what was not sent");
  });
});

describe("S-53 a host that takes a viewer and says nothing", () => {
  it("holds it for a while: a new terminal is refused, one that is there may be gone on with", async () => {
    let isSilent = false;
    const clock = new HeldClock(ATTACHED_MS);
    await using scene = await TerminalScene.open({ clock });
    const host = await scene.host({
      onAttach: (terminal, channel) => {
        if (!isSilent) terminal.attach(channel);
      },
    });
    const { id } = await (await scene.viewer()).attached;
    isSilent = true;
    expect(clock.waiting).toBe(0);
    const reason = "The client did not answer in time.";
    const fresh = await scene.asking();
    await eventually(() => expect(clock.waiting).toBe(1));
    clock.pass();
    expect(await fresh.closed).toEqual({ code: CLOSE_CODES.refused, reason });
    await eventually(() => expect(host.ends).toMatchObject([{ how: "closed" }]));
    const again = await scene.asking({ resume: { id } });
    await eventually(() => expect(clock.waiting).toBe(1));
    clock.pass();
    expect(await again.closed).toEqual({ code: CLOSE_CODES.cutOff, reason });
    expect(await scene.backend.api("listTerminals")).toMatchObject([{ id, attached: false }]);
  });
});

describe("whose a terminal is, and since when", () => {
  it("is no host's to say, neither in the list nor in the audit log", async () => {
    const began = Date.now();
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const bert = await scene.members.add("bert", ["Operators"]);
    const ofBert = (await (await scene.viewer({ token: bert.token })).attached).id;
    const ofLocal = (await (await scene.viewer()).attached).id;
    const account = host.terminals.get(ofBert)?.held.owner;
    await scene.backend.api("deleteUser", { params: { userName: "bert" } });
    await scene.audited(3);
    await scene.restart();
    const lie = { ownerName: "anna\n\u202Ex", startedAtMs: began - HOUR_MS };
    const held = [...host.terminals.values()].map((one) => ({ ...one.held, ...lie }));
    host.terminals.delete(ofBert);
    await host.connect(scene.backend.url.replace("http", "ws"));
    const listed = await eventually(async () => {
      const terminals = await scene.backend.api("listTerminals");
      expect(terminals).toHaveLength(1);
      return terminals;
    });
    expect(listed).toMatchObject([{ id: ofLocal, owner: "local" }]);
    expect(Date.parse(listed[0]?.started_at ?? "")).toBeGreaterThan(began - 1_000);
    const end = { how: "failed" as const, text: "no more\u202E", signal: "a\nb" };
    for (const one of held) {
      const ended = { atMs: Date.now() + HOUR_MS, end };
      expect((await host.agent.ask("terminal_ended", { ...one, ended })).ok).toBe(true);
    }
    const rows = (await scene.audited(5)).slice(3);
    const names = new Map(rows.map(({ affected_id, username }) => [affected_id, username]));
    expect(names.get(ofLocal)).toBe("local");
    expect(names.get(ofBert)).toBe(`deleted account: ${account}`);
    for (const { response } of rows) {
      const { from, to, text, signal } = JSON.parse(response ?? "");
      expect(Date.parse(from)).toBeGreaterThan(began - 1_000);
      expect(Date.parse(to)).toBeLessThanOrEqual(Date.now());
      expect([text, signal]).toEqual(["no more", undefined]);
    }
  });
});
