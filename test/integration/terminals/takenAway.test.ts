import { REQUESTS } from "@rport/protocol/agent";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { type TerminalId, terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { FLEET } from "../../support/backend/fleet.ts";
import type { Member } from "../../support/backend/member.ts";
import { eventually } from "../../support/eventually.ts";
import { HOST_ID, TerminalScene } from "../../support/terminals/scene.ts";
import type { TerminalHost } from "../../support/terminals/terminalHost.ts";

/** What somebody has lost is gone within this. */
const PROMPT_MS = 1_000;
const params = { clientId: HOST_ID };

/** A user with two terminals: one is shown, one nobody is attached to. */
async function withTwo(scene: TerminalScene, host: TerminalHost) {
  const anna = await scene.members.add("anna", ["Operators"]);
  const shown = await scene.viewer({ token: anna.token });
  const left = await scene.viewer({ token: anna.token });
  const ids = [(await shown.attached).id, (await left.attached).id].sort();
  await left.cut();
  await eventually(() => {
    const attached = [...host.terminals.values()].filter(({ channel }) => channel !== undefined);
    expect(attached).toHaveLength(1);
  });
  return { anna, shown, ids };
}

/** The host was told to end all of these, in time. */
async function endsOf(host: TerminalHost, ids: readonly TerminalId[]): Promise<void> {
  await eventually(() => {
    expect(host.ends.map(({ id }) => id).sort()).toEqual(ids);
  }, PROMPT_MS);
  expect(new Set(host.ends.map(({ how }) => how))).toEqual(new Set(["forbidden"]));
}

describe("S-52 terminals end within a second", () => {
  it.each<[string, number, (scene: TerminalScene, anna: Member) => Promise<unknown>]>([
    [
      "when their owner is disabled",
      CLOSE_CODES.unauthorized,
      ({ backend }) => backend.api("disableUser", { params: { userName: "anna" } }),
    ],
    [
      "when their owner is deleted",
      CLOSE_CODES.unauthorized,
      ({ backend }) => backend.api("deleteUser", { params: { userName: "anna" } }),
    ],
    ["when their owner leaves the group", CLOSE_CODES.refused, (_scene, anna) => anna.join()],
    [
      "when the group loses the permission",
      CLOSE_CODES.refused,
      ({ members }) => members.group("Operators", "tunnels"),
    ],
    [
      "when the client may be seen no longer",
      CLOSE_CODES.refused,
      ({ backend }) => backend.api("setClientAcl", { params, body: { allowed_user_groups: [] } }),
    ],
  ])("%s", async (_what, code, take) => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const { anna, shown, ids } = await withTwo(scene, host);
    await take(scene, anna);
    await endsOf(host, ids);
    const closed = await shown.closed;
    expect([code, 1000]).toContain(closed.code);
  });

  it.each<[string, (scene: TerminalScene) => Promise<unknown>]>([
    ["when the client is revoked", ({ backend }) => backend.api("revokeClient", { params })],
    [
      "when its credential is deleted",
      ({ backend }) =>
        backend.api("deleteCredential", { params: { authId: FLEET }, query: { force: "true" } }),
    ],
  ])("%s, before the host is cut off", async (_what, take) => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const { shown, ids } = await withTwo(scene, host);
    await take(scene);
    await host.agent.closed;
    await endsOf(host, ids);
    await shown.closed;
  });

  it("when the owner was disabled while the host was away, as soon as it is back", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const { ids } = await withTwo(scene, host);
    await host.cut();
    await scene.backend.api("disableUser", { params: { userName: "anna" } });
    expect(host.ends).toEqual([]);
    await host.connect();
    await endsOf(host, ids);
  });

  it("when the owner is disabled, also one whose end its host has told and that goes on", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const anna = await scene.members.add("anna", ["Operators"]);
    const viewer = await scene.viewer({ token: anna.token });
    const ended = { atMs: Date.now(), end: { how: "exit", code: 0 } };
    await host.agent.ask(REQUESTS.terminalEnded, { ...host.only.held, ended });
    viewer.type("here");
    await viewer.shows("here");
    await scene.backend.api("disableUser", { params: { userName: "anna" } });
    await endsOf(host, [(await viewer.attached).id]);
  });
});

describe("a token that is ended", () => {
  it("ends the sockets that it opened; its user comes back with another", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const anna = await scene.members.add("anna", ["Operators"]);
    const other = await scene.members.token("anna");
    const viewer = await scene.viewer({ token: anna.token });
    const second = await scene.viewer({ token: other });
    await scene.members.endToken("anna", anna.token);
    expect(await viewer.closed).toMatchObject({ code: CLOSE_CODES.unauthorized });
    const { id } = await viewer.attached;
    const again = await scene.viewer({ token: other, resume: { id } });
    again.type("here");
    await again.shows("here");
    second.type("there");
    await second.shows("there");
    expect(host.ends).toEqual([]);
  });
});

describe("what a host says of terminals", () => {
  it("is not believed of one that this server never gave it", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    await scene.viewer();
    const id = terminalIdSchema.parse("A".repeat(22));
    const made = { ...host.only.held, id, ended: { atMs: 0, end: { how: "exit" as const } } };
    expect((await host.agent.ask("terminal_ended", made)).ok).toBe(false);
    const stolen = { ...host.only.held, owner: "somebody else", ended: made.ended };
    expect((await host.agent.ask("terminal_ended", stolen)).ok).toBe(false);
    expect(await scene.backend.api("listTerminals")).toHaveLength(1);
  });

  it("counts after it was away: what it has not any more is over", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    await (await scene.viewer()).cut();
    await host.cut();
    host.terminals.clear();
    await host.connect();
    const [, end] = await scene.audited(2);
    expect(JSON.parse(end?.response ?? "")).toMatchObject({ how: "stopped" });
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });

  it("ends one of which nobody was told before they left", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host({ onAttach: () => {} });
    const viewer = await scene.asking();
    await eventually(() => expect(host.terminals.size).toBe(1));
    await viewer.cut();
    await eventually(() => expect(host.ends).toMatchObject([{ how: "closed" }]));
  });
});
