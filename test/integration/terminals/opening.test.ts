import { CLOSE_CODES } from "@rport/protocol/errors";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { TerminalScene } from "../../support/terminals/scene.ts";

const REFUSED = CLOSE_CODES.refused;

describe("a terminal on a host", () => {
  it("is found and sorted by every member", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewers = [await scene.viewer(), await scene.viewer()];
    await Promise.all(viewers.map(({ attached }) => attached));
    const { api } = scene.backend;
    for (const members of await api("listTerminals")) {
      for (const [name, value] of Object.entries(members)) {
        const filter = { [`filter[${name}]`]: String(value) };
        const found = await api("listTerminals", { query: { ...filter, sort: name } });
        expect(found.map(({ id }) => id)).toContain(members.id);
      }
    }
  });

  it("is opened, typed into, sized and signalled, and ends with its program", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer({ size: { cols: 132, rows: 43 } });
    expect(host.only.opening).toMatchObject({
      ownerName: "local",
      size: { cols: 132, rows: 43 },
      wish: { kind: "new", env: { TERM: "xterm-256color" } },
    });
    viewer.type("uptime\n");
    await viewer.shows("uptime\n");
    viewer.resize({ cols: 80, rows: 25 });
    viewer.signal("INT");
    viewer.type("!");
    await viewer.shows("!");
    const heard = host.only.heard.filter(({ kind }) => kind !== "outputTaken");
    expect(heard.map(({ kind }) => kind)).toEqual(["input", "resize", "signal", "input"]);
    host.only.print("bye\n");
    host.only.finish({ how: "exit", code: 3 });
    expect(await viewer.ended).toEqual({ how: "exit", code: 3 });
    expect(viewer.text).toBe("uptime\n!bye\n");
    expect(await viewer.closed).toMatchObject({ code: 1000 });
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });

  it("is listed while it is there, and gone with its end", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewer = await scene.viewer({ wish: { account: "deploy" } });
    const { id } = await viewer.attached;
    expect(await scene.backend.api("listTerminals")).toEqual([
      {
        id,
        client_id: "web-01",
        owner: "local",
        account: "root",
        started_at: expect.stringMatching(/^\d{4}-.*Z$/),
        attached: true,
        connected: true,
        recorded: false,
      },
    ]);
    await scene.backend.api("deleteTerminal", { params: { terminalId: id } });
    expect(await viewer.ended).toEqual({ how: "closed" });
    const entries = await scene.audited(3);
    expect(entries.map(({ action }) => action)).toEqual(["open", "delete", "end"]);
  });

  it("of which a frame is none is cut, whoever said it", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    viewer.sayRaw(Buffer.from([99, 0, 0, 0]));
    expect(await viewer.closed).toMatchObject({ code: REFUSED });
    const other = await scene.viewer();
    const [, second] = [...host.terminals.values()];
    second?.channel?.write(Buffer.from([1, 0, 0, 0]));
    expect(await other.closed).toMatchObject({ code: REFUSED });
  });
});

describe("a terminal is refused", () => {
  it("where the host is away", async () => {
    await using scene = await TerminalScene.open();
    await (await scene.host())[Symbol.asyncDispose]();
    const viewer = await scene.asking();
    expect(await viewer.closed).toEqual({ code: REFUSED, reason: "The client is not connected." });
  });

  it.each([
    [undefined, "update it, or use ssh NAME.rport where a sshd runs"],
    [{ state: "off" }, "[terminal] enabled = true"],
    [{ state: "runtime" }, "Node 24"],
    [{ state: "accounts" }, "[terminal] accounts"],
    [{ state: "system" }, "no terminals that its agent could open"],
    [{ state: "on", accounts: [] }, "update it"],
  ])("where the host offers %j", async (offer, why) => {
    await using scene = await TerminalScene.open();
    await scene.host({ introduction: { Terminal: offer, Features: ["half-close"] } });
    const viewer = await scene.asking();
    const { code, reason } = await viewer.closed;
    expect(code).toBe(REFUSED);
    expect(reason).toContain(why);
    expect(reason.endsWith(".")).toBe(true);
  });

  it("as an account that is not offered", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewer = await scene.asking({ wish: { account: "postgres" } });
    const reason = "The client offers no terminal as this account.";
    expect(await viewer.closed).toEqual({ code: REFUSED, reason });
  });

  it("with what the agent says", async () => {
    await using scene = await TerminalScene.open();
    await scene.host({ refuses: "no pseudo-terminal is left" });
    const viewer = await scene.asking();
    const { reason } = await viewer.closed;
    expect(reason).toContain("no pseudo-terminal is left");
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });

  it("when it is none that is there", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewer = await scene.asking({ resume: { id: terminalIdSchema.parse("x".repeat(22)) } });
    const reason = "There is no such terminal of yours.";
    expect(await viewer.closed).toEqual({ code: REFUSED, reason });
  });

  it("to whoever lacks the permission, and to a token for reading", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    await scene.members.group("Tunnellers", "tunnels");
    const eve = await scene.members.add("eve", ["Tunnellers"]);
    await expect(scene.asking({ token: eve.token })).rejects.toThrow("403");
    const reader = await scene.members.add("rita", ["Operators"], "read");
    await expect(scene.asking({ token: reader.token })).rejects.toThrow("403");
    expect(await reader.api.call("listTerminals")).toEqual([]);
  });
});
