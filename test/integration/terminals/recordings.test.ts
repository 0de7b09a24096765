import { stat } from "node:fs/promises";
import { join } from "node:path";
import { clientGroupIdSchema } from "@rport/protocol/people/clientGroup";
import { describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import {
  endedRecordings,
  readRecording,
  recordingFiles,
  shownTerminal,
} from "../../support/terminals/recordings.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

const LINUX = process.platform !== "win32";
const RECORDED = clientGroupIdSchema.parse("recorded");

/** A scene in which everything is recorded, or as the options say. */
function recording(options: Parameters<typeof TerminalScene.open>[0] = {}) {
  return TerminalScene.open({ recordsTerminals: true, ...options });
}

/** Has terminals on all clients be recorded by their group, or not. */
async function setGroup(scene: TerminalScene, isRecorded: boolean | undefined): Promise<void> {
  const body = { id: RECORDED, params: { client_id: ["*"] }, record_terminals: isRecorded };
  const params = { clientGroupId: RECORDED };
  await scene.backend.api("putClientGroup", { params, body });
}

describe("S-63 a recording", () => {
  it("has what a terminal showed and its sizes, not what was typed, and is read by administrators alone", async () => {
    await using scene = await recording();
    const host = await scene.host({ onAttach: (terminal, channel) => terminal.attach(channel) });
    const viewer = await scene.viewer({ size: { cols: 132, rows: 43 } });
    expect(await viewer.attached).toMatchObject({ recorded: true });
    const [terminal] = await scene.backend.api("listTerminals");
    expect(terminal?.recorded).toBe(true);
    host.only.print("gr\u00fc\u00df");
    const euro = Buffer.from("\u20ac");
    host.only.print(euro.subarray(0, 1));
    host.only.print(euro.subarray(1));
    host.only.print(Buffer.from([0xff, 0x1b]));
    await viewer.shows("\u20ac");
    viewer.resize({ cols: 80, rows: 25 });
    viewer.say({ kind: "signal", signal: "INT" });
    await eventually(() => expect(host.only.heard.at(-1)?.kind).toBe("signal"));
    host.only.print("bye");
    host.only.finish({ how: "exit", code: 3 });
    await viewer.ended;
    const [one] = await endedRecordings(scene.backend, 1);
    expect(one).toMatchObject({
      id: `${host.only.opening.id}.1`,
      terminal_id: host.only.opening.id,
      part: 1,
      client_id: "web-01",
      owner: "local",
      account: "root",
      end: { how: "exit", code: 3 },
      state: "whole",
    });
    if (one === undefined) throw new Error("there is no recording");
    const { lines, events, text, state } = await readRecording(scene.backend, one);
    expect(state).toBe("whole");
    const header = JSON.parse(lines[0] ?? "");
    expect(header).toMatchObject({ version: 2, width: 132, height: 43 });
    expect(header.env).toEqual({ TERM: "xterm-256color" });
    expect(text).toBe("gr\u00fc\u00df\u20ac\uFFFD\u001Bbye");
    expect(events).toContainEqual(expect.objectContaining({ size: { cols: 80, rows: 25 } }));
    await scene.members.add("anna", ["Operators"]);
    const anna = await scene.members.add("bert", ["Operators"]);
    await expect(anna.api.call("listRecordings")).rejects.toThrow("Administrators");
    const params = { recordingId: one.id };
    await expect(anna.api.call("readRecording", { params })).rejects.toThrow("Administrators");
    await expect(anna.api.call("deleteRecording", { params })).rejects.toThrow("Administrators");
  });

  it("is not made where nobody wants one, and nothing of it is on disk", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewer = await scene.viewer();
    expect(await viewer.attached).toMatchObject({ recorded: false });
    viewer.type("secret");
    await viewer.shows("secret");
    await viewer.end();
    expect(await scene.backend.api("listRecordings")).toEqual([]);
    await expect(stat(join(scene.backend.dataDir, "recordings"))).rejects.toThrow("ENOENT");
  });

  it("is wanted by a group of clients, which programs of RPort do not change, and decided when a terminal opens", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const before = await scene.viewer();
    await setGroup(scene, true);
    await setGroup(scene, undefined);
    const shown = await scene.backend.api("getClientGroup", {
      params: { clientGroupId: RECORDED },
    });
    expect(shown.record_terminals).toBe(true);
    const during = await scene.viewer();
    await setGroup(scene, false);
    const after = await scene.viewer();
    const said = [before, during, after].map(async ({ attached }) => (await attached).recorded);
    expect(await Promise.all(said)).toEqual([false, true, false]);
    for (const terminal of host.terminals.values()) terminal.print("still here");
    await during.shows("still here");
    for (const viewer of [before, during, after]) await viewer.end();
    const [one, another] = await endedRecordings(scene.backend, 1);
    expect(another).toBeUndefined();
    if (one === undefined) throw new Error("there is no recording");
    expect((await readRecording(scene.backend, one)).text).toBe("still here");
    const opened = (await scene.audited(6)).filter(({ action }) => action === "open");
    const recorded = opened.map(({ request }) => JSON.parse(request).recorded);
    expect(recorded).toEqual([undefined, true, undefined]);
  });

  it("goes on when its owner comes back, with nothing twice", async () => {
    await using scene = await recording();
    const { host, viewer, id } = await shownTerminal(scene, "one ");
    await viewer.cut();
    host.only.print("two ");
    const again = await scene.viewer({ resume: { id, from: 0 } });
    await again.shows("one two ");
    host.only.print("three");
    await again.shows("three");
    await again.end();
    const [one] = await endedRecordings(scene.backend, 1);
    if (one === undefined) throw new Error("there is no recording");
    expect((await readRecording(scene.backend, one)).text).toBe("one two three");
  });

  it("has another part after a restart of the server, and says what its host did not keep", async () => {
    await using scene = await recording();
    const { host, id } = await shownTerminal(scene, "one ");
    await scene.restart();
    const [first] = await endedRecordings(scene.backend, 1);
    expect(first?.end).toEqual({ how: "server" });
    await host.connect(scene.backend.url.replace("http", "ws"));
    host.only.print("two lost three");
    const again = await scene.viewer({ resume: { id, from: 13 } });
    expect(await again.attached).toMatchObject({ recorded: true });
    await again.shows("three");
    await again.end();
    const [, second] = await endedRecordings(scene.backend, 2);
    if (second === undefined) throw new Error("there is no second part");
    expect(second.part).toBe(2);
    const { text, marks, state } = await readRecording(scene.backend, second);
    expect([text, state]).toEqual(["three", "whole"]);
    expect(marks).toContain("9 bytes of output are missing");
  });

  it("is found and sorted by every member but its end", async () => {
    await using scene = await recording();
    const { viewer } = await shownTerminal(scene, "more than the other");
    await viewer.end();
    await (await scene.viewer()).end();
    const all = await endedRecordings(scene.backend, 2);
    const { api } = scene.backend;
    for (const { end: _, ...members } of all) {
      for (const [name, value] of Object.entries(members)) {
        const filter = { [`filter[${name}]`]: String(value) };
        const found = await api("listRecordings", { query: { ...filter, sort: name } });
        expect(found.map(({ id }) => id)).toContain(members.id);
      }
    }
    const bySize = await api("listRecordings", { query: { sort: "-bytes" } });
    expect(bySize.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });

  it("is deleted by administrators, not while it is written, and who read or deleted it is in the audit log", async () => {
    await using scene = await recording();
    await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    const params = { recordingId: `${id}.1` };
    const { api, dataDir } = scene.backend;
    await expect(api("deleteRecording", { params })).rejects.toThrow("still recorded");
    expect((await readRecording(scene.backend, { id: `${id}.1` })).state).toBe("running");
    await viewer.end();
    await endedRecordings(scene.backend, 1);
    const [file = ""] = await recordingFiles(dataDir);
    if (LINUX) expect((await stat(file)).mode & 0o777).toBe(0o600);
    if (LINUX) expect((await stat(join(dataDir, "recordings"))).mode & 0o777).toBe(0o700);
    await api("deleteRecording", { params });
    expect(await recordingFiles(dataDir)).toEqual([]);
    await expect(api("readRecording", { params })).rejects.toThrow("no such recording");
    const query = { "filter[application]": "client.terminal.recording", sort: "seq" };
    const rows = await api("listAudit", { query });
    expect(rows.map(({ action, username }) => [action, username])).toEqual([
      ["fetch", "local"],
      ["finish", ""],
      ["delete", "local"],
    ]);
    expect(rows.every(({ affected_id: of }) => of === params.recordingId)).toBe(true);
  });
});
