import { REQUESTS } from "@rport/protocol/agent";
import { CLOSE_CODES } from "@rport/protocol/errors";
import type { HeldTerminal } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { HeldClock } from "../../support/terminals/heldClock.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";
import type { TerminalHost } from "../../support/terminals/terminalHost.ts";

/** So long a host may take to say that it has ended a terminal as it was told. */
const CONFIRMED_MS = 12_000;
/** So long the rest of the output of one may take that is over. */
const REST_MS = 45_000;
const EXIT = { how: "exit" as const, code: 0 };

/** A host that answers with another list once a test has one. */
class Liar {
  list: readonly object[] | undefined;

  readonly onList = (usual: Buffer): Buffer =>
    this.list === undefined ? usual : Buffer.from(JSON.stringify({ terminals: this.list }));
}

/** All that the host was ever asked for, as if it ran. */
function allRunning({ asked }: TerminalHost): readonly HeldTerminal[] {
  const facts = { account: "root", startedAtMs: 0 };
  return asked.map(({ id, owner, ownerName }) => ({ id, owner, ownerName, ...facts }));
}

async function rejoin(scene: TerminalScene, host: TerminalHost): Promise<void> {
  await host.connect(scene.backend.url.replace("http", "ws"));
}

async function toldToEnd(host: TerminalHost, count: number): Promise<void> {
  await eventually(() => expect(host.agent.heardOf(REQUESTS.endTerminal)).toHaveLength(count));
}

describe("S-53 what a host claims to have", () => {
  it("is not believed of terminals that it refused or has ended since the server runs", async () => {
    const liar = new Liar();
    await using scene = await TerminalScene.open();
    const refusing = await scene.host({ refuses: "no", onList: liar.onList });
    for (let count = 0; count < 3; count += 1) await (await scene.asking()).closed;
    liar.list = [...allRunning(refusing), {}];
    await refusing.cut();
    await rejoin(scene, refusing);
    await toldToEnd(refusing, 3);
    expect(await scene.backend.api("listTerminals")).toEqual([]);
    expect(await scene.figures()).toContain('rport_limit_used{limit="terminals"} 0');
  });

  it("is bounded after a restart, and takes away nothing of what its owner may have elsewhere", async () => {
    const liar = new Liar();
    const limits = { terminals_per_client: 2, terminals_per_user: 2 };
    await using scene = await TerminalScene.open({ limits });
    const host = await scene.host({ onList: liar.onList });
    for (let count = 0; count < 4; count += 1) await (await scene.viewer()).end();
    await scene.restart();
    liar.list = allRunning(host);
    await rejoin(scene, host);
    const claimed = await eventually(async () => {
      const terminals = await scene.backend.api("listTerminals");
      expect(terminals).toHaveLength(2);
      return terminals;
    });
    expect(await scene.figures()).toContain(
      'rport_limit_bites_total{limit="terminals_per_client"} 2',
    );
    await scene.host({ introduction: { ID: "web-02", Name: "web-02", SessionID: "other" } });
    const elsewhere = await scene.viewer({ clientId: "web-02" });
    await scene.viewer({ clientId: "web-02" });
    const id = claimed[0]?.id as HeldTerminal["id"];
    const third = await scene.asking({ resume: { id } });
    expect((await third.closed).reason).toContain("(terminals_per_user)");
    await elsewhere.end();
    for (const terminal of host.terminals.values()) terminal.end = undefined;
    const again = await scene.viewer({ resume: { id } });
    again.type("here");
    await again.shows("here");
    const one = await scene.asking({ clientId: "web-02" });
    expect((await one.closed).reason).toContain("(terminals_per_user)");
  });

  it("takes away what it has not, whatever nonsense is beside it", async () => {
    const liar = new Liar();
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onList: liar.onList });
    const { id } = await (await scene.viewer()).attached;
    await scene.viewer();
    await host.cut();
    liar.list = [{ id, account: 7 }, {}];
    await rejoin(scene, host);
    await eventually(async () =>
      expect(await scene.backend.api("listTerminals")).toMatchObject([{ id }]),
    );
  });
});

describe("a host that does not obey", () => {
  it("keeps no place by not saying that a terminal has ended, and gets it back by no list", async () => {
    const clock = new HeldClock(CONFIRMED_MS, REST_MS);
    await using scene = await TerminalScene.open({ clock });
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    host.only.finish = () => {};
    await scene.backend.api("deleteTerminal", { params: { terminalId: id } });
    await eventually(() => expect(host.ends).toHaveLength(1));
    clock.pass();
    expect(await scene.backend.api("listTerminals")).toEqual([]);
    const [, , end] = await scene.audited(3);
    expect(JSON.parse(end?.response ?? "")).toMatchObject({ how: "closed", presumed: true });
    clock.pass();
    expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
    await host.cut();
    await rejoin(scene, host);
    await toldToEnd(host, 1);
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });
});

describe("a terminal that goes on though its host has told its end", () => {
  it("has its place as long as somebody looks at it, which is not for long", async () => {
    const clock = new HeldClock(REST_MS);
    await using scene = await TerminalScene.open({ clock, limits: { terminals_per_user: 1 } });
    const host = await scene.host();
    const first = await scene.viewer();
    const { id } = await first.attached;
    const ended = { atMs: Date.now(), end: EXIT };
    await host.agent.ask(REQUESTS.terminalEnded, { ...host.only.held, ended });
    await goesOnAlone(scene);
    first.type("here");
    await first.shows("here");
    clock.pass();
    expect(await first.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
    const again = await scene.viewer({ resume: { id } });
    await goesOnAlone(scene);
    clock.pass();
    expect(await again.closed).toMatchObject({ code: CLOSE_CODES.cutOff });
    await scene.viewer();
  });
});

/** Nobody gets another terminal, and the one is counted as attached. */
async function goesOnAlone(scene: TerminalScene): Promise<void> {
  const { reason } = await (await scene.asking()).closed;
  expect(reason).toContain("(terminals_per_user)");
  const figures = await scene.figures();
  expect(figures).toContain('rport_terminals{state="attached"} 1');
  expect(figures).toContain('rport_limit_used{limit="terminals"} 1');
}
