import { CLOSE_CODES } from "@rport/protocol/errors";
import { encodeFrame } from "@rport/protocol/terminal/frame";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { toTime } from "../../../backend/src/platform/clock.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { KeepClock } from "../../support/terminals/keepClock.ts";
import { HOST_ID, TerminalScene } from "../../support/terminals/scene.ts";

/** Says that it is the host, and is refused: the host is connected. */
async function impostorOf({ backend, password }: TerminalScene): Promise<PeerAgent> {
  const impostor = await PeerAgent.signIn({
    url: backend.url.replace("http", "ws"),
    user: FLEET,
    password,
    introduction: { ID: HOST_ID, SessionID: "another process", Features: ["terminal"] },
  });
  await expect(impostor.introduce()).rejects.toThrow("already connected");
  return impostor;
}

function endsIn(response: string | undefined): unknown {
  return JSON.parse(response ?? "");
}

describe("whoever is not let in as the host", () => {
  it("changes none of its terminals, by what it says or by leaving", async () => {
    const clock = new KeepClock();
    await using scene = await TerminalScene.open({ clock });
    const host = await scene.host();
    const viewer = await scene.viewer();
    await using impostor = await impostorOf(scene);
    const { held } = host.only;
    const ended = { atMs: held.startedAtMs, end: { how: "exit" as const } };
    const told = await impostor.ask("terminal_ended", { ...held, ended }).catch(() => undefined);
    expect(told?.ok).not.toBe(true);
    await impostor.closed;
    clock.passKept();
    viewer.type("here");
    await viewer.shows("here");
    expect(await scene.backend.api("listTerminals")).toHaveLength(1);
  });
});

describe("a host that is away", () => {
  it("has ended its terminals after they are kept no longer, as the server wanted where it did", async () => {
    const clock = new KeepClock();
    await using scene = await TerminalScene.open({ clock });
    const host = await scene.host();
    const { id } = await (await scene.viewer()).attached;
    const other = await (await scene.viewer()).attached;
    await host.cut();
    await offline(scene);
    await scene.backend.api("deleteTerminal", { params: { terminalId: id } });
    clock.passKept();
    const ends = (await scene.audited(5)).filter(({ action }) => action === "end");
    const how = new Map(ends.map(({ affected_id, response }) => [affected_id, endsIn(response)]));
    expect(how.get(id)).toMatchObject({ how: "closed", presumed: true });
    expect(how.get(other.id)).toMatchObject({ how: "left", presumed: true });
  });

  it("has none any more as soon as there is no such client", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    await scene.viewer();
    await host.cut();
    await offline(scene);
    await scene.backend.api("deleteClient", { params: { clientId: HOST_ID } });
    const [, end] = await scene.audited(2);
    expect(endsIn(end?.response)).toMatchObject({ how: "left", presumed: true });
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });

  it("has none any more when it comes back without terminals", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    await scene.viewer();
    await host.cut();
    await scene.host({ introduction: { Features: [], Terminal: { state: "off" } } });
    const [, end] = await scene.audited(2);
    expect(endsIn(end?.response)).toMatchObject({ how: "stopped" });
  });
});

describe("what a host says of its terminals", () => {
  it("is read entry by entry, and no time of it is one that cannot be written", async () => {
    let nonsense: Record<string, unknown> = {};
    const onList = (usual: Buffer) => {
      const { terminals } = JSON.parse(usual.toString()) as { terminals: object[] };
      const [one, ...more] = terminals;
      const list = one === undefined ? [] : [{ ...one, ...nonsense }, ...more];
      return Buffer.from(JSON.stringify({ terminals: list }));
    };
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onList });
    await scene.viewer();
    const second = await (await scene.viewer()).attached;
    nonsense = { startedAtMs: 8.65e15 };
    await scene.restart();
    await host.connect(scene.backend.url.replace("http", "ws"));
    const listed = await eventually(async () => {
      const terminals = await scene.backend.api("listTerminals");
      expect(terminals).toHaveLength(1);
      return terminals;
    });
    expect(listed).toMatchObject([{ id: second.id }]);
    const { id } = second;
    const [, terminal] = [...host.terminals.values()];
    const held = { ...terminal?.held, ended: { atMs: 8.65e15, end: { how: "exit" } } };
    expect(await host.agent.ask("terminal_ended", held)).toMatchObject({ ok: false });
    const again = await scene.viewer({ resume: { id } });
    expect(await again.end()).toEqual({ how: "closed" });
  });

  it("is asked for again where it failed; until then nobody hears that a terminal is not there", async () => {
    let fails = true;
    const onList = (usual: Buffer) => {
      if (fails) throw new RequestRefused("out of memory");
      return usual;
    };
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onList });
    const { id } = await (await scene.viewer()).attached;
    await scene.restart();
    await host.connect(scene.backend.url.replace("http", "ws"));
    const refused = await scene.asking({ resume: { id } });
    expect((await refused.closed).reason).not.toContain("no such terminal");
    fails = false;
    const again = await scene.viewer({ resume: { id } });
    again.type("here");
    await again.shows("here");
  });
});

describe("a terminal that ended while nobody was attached", () => {
  it("shows the rest of its output, as long as its host keeps it", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host({ keepsEnded: true });
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    host.only.print("one ");
    await viewer.shows("one ");
    await viewer.cut();
    await eventually(() => expect(host.only.channel).toBeUndefined());
    host.only.print("two");
    host.only.finish({ how: "exit", code: 3 });
    await host.tellEnd(host.only);
    for (const from of [viewer.outputAt, 0]) {
      const again = await scene.asking({ resume: { id, from } });
      expect(await again.ended).toEqual({ how: "exit", code: 3 });
      expect(again.text).toBe("one two".slice(from));
      expect(await again.closed).toMatchObject({ code: 1000 });
    }
    const entries = await scene.audited(4);
    expect(entries.map(({ action }) => action)).toEqual(["open", "end", "resume", "resume"]);
    expect(endsIn(entries[1]?.response)).toMatchObject({ to: toTime(host.only.endedAtMs) });
    const bert = await scene.members.add("bert", ["Operators"]);
    const asking = await scene.asking({ token: bert.token, resume: { id } });
    const reason = "There is no such terminal of yours.";
    expect(await asking.closed).toEqual({ code: CLOSE_CODES.refused, reason });
  });

  it("is not gone on with while its end is wanted", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    await viewer.cut();
    await eventually(() => expect(host.only.channel).toBeUndefined());
    // A host that does not obey.
    host.only.finish = () => {};
    await scene.backend.api("deleteTerminal", { params: { terminalId: id } });
    const again = await scene.asking({ resume: { id } });
    expect(await again.ended).toEqual({ how: "closed" });
    expect(host.only.attachments).toBe(1);
  });
});

describe("two places that come back at once", () => {
  it("do not both take it: one has it, the other is told", async () => {
    const listed = Promise.withResolvers<void>();
    let isHeld = false;
    const onList = async (usual: Buffer) => {
      if (isHeld) await listed.promise;
      return usual;
    };
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onList });
    const { id } = await (await scene.viewer()).attached;
    isHeld = true;
    await host.cut();
    await host.connect();
    const places = [await scene.asking({ resume: { id } }), await scene.asking({ resume: { id } })];
    // Both wait for the list when the server has answered what came behind them.
    for (const { socket } of places) await pong(socket);
    listed.resolve();
    const closed = await Promise.race(places.map(({ closed: one }) => one));
    expect(closed).toMatchObject({ code: CLOSE_CODES.takenOver });
    const [left] = places.filter(({ socket }) => socket.readyState === socket.OPEN);
    left?.type("here");
    await left?.shows("here");
  });
});

describe("a viewer that confirms what was not sent", () => {
  it("is cut: its host would send without a bound", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    host.only.print("some");
    await viewer.shows("some");
    viewer.sayRaw(encodeFrame({ kind: "outputTaken", offset: 2 ** 47 }));
    const { code, reason } = await viewer.closed;
    expect(code).toBe(CLOSE_CODES.refused);
    expect(reason).toContain("it confirms what was not sent");
  });
});

async function offline({ backend }: TerminalScene): Promise<void> {
  const params = { clientId: HOST_ID };
  await eventually(async () => {
    const { connection_state } = await backend.api("getClient", { params });
    expect(connection_state).toBe("disconnected");
  });
}

async function pong(socket: import("ws").WebSocket): Promise<void> {
  const answered = new Promise<void>((resolve) => socket.once("pong", () => resolve()));
  socket.ping();
  await answered;
}

/** A host whose coming in waits, and who wants a terminal there meanwhile. */
async function wantedMeanwhile(scene: TerminalScene) {
  const { registry } = scene.backend.backend;
  const [saving, saved] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const save = registry.save.bind(registry);
  registry.save = async (id) => {
    saving.resolve();
    await saved.promise;
    await save(id);
  };
  const joining = scene.host({ onList: () => Buffer.from('{"terminals":[]}') });
  await saving.promise;
  const viewer = await scene.asking();
  for (let count = 0; count < 3; count += 1) await scene.backend.api("listTerminals");
  return { viewer, joining, letIn: () => saved.resolve() };
}

describe("a terminal that is wanted while its host comes in", () => {
  it("is begun once the host is in, and so is not missed in what that says that it has", async () => {
    await using scene = await TerminalScene.open();
    const { viewer, joining, letIn } = await wantedMeanwhile(scene);
    letIn();
    await joining;
    const { id } = await viewer.attached;
    viewer.type("here");
    await viewer.shows("here");
    expect(await scene.backend.api("listTerminals")).toMatchObject([{ id, attached: true }]);
  });

  it("is not begun for who has left by then", async () => {
    await using scene = await TerminalScene.open();
    const { viewer, joining, letIn } = await wantedMeanwhile(scene);
    await viewer.cut();
    for (let count = 0; count < 3; count += 1) await scene.backend.api("listTerminals");
    letIn();
    const host = await joining;
    const { id } = await (await scene.viewer()).attached;
    expect(host.asked.map((opening) => opening.id)).toEqual([id]);
  });
});
