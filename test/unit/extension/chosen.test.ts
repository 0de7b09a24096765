import { describe, expect, it } from "vitest";
import { chosenOf, type Wanted } from "../../../extension/src/commands/targets/chosen.ts";
import { type Node, Nodes } from "../../../extension/src/model/node.ts";

const nodes = new Nodes();
const client = (clientId: string): Node =>
  nodes.get({ kind: "client", serverKey: "s", clientId, place: "clients" });
const parts = { serverKey: "s", round: 0 } as const;
const group = nodes.get({ ...parts, kind: "group", by: "status", value: "online" });
const outage = nodes.get({ ...parts, kind: "outage", by: "status", value: "offline", outage: "o" });
const nameOf = (node: Node): string => {
  if (node.kind === "outage") return "2 hosts behind 203.0.113.9";
  return "clientId" in node ? node.clientId : "Online";
};

/** Clients whose id begins with `off` are offline. */
const wanted = (isMany: boolean): Wanted<{ readonly id: string }> => ({
  noun: { a: "an offline client", one: "offline client", many: "offline clients" },
  of: (node) => (node.kind === "client" ? { id: node.clientId } : undefined),
  fits: ({ id }) => id.startsWith("off"),
  within: (node) => (node.kind === "outage" ? [client("off-a"), client("off-b")] : undefined),
  entity: ({ id }) => id,
  nameOf,
  isMany,
});

const row = (node: Node, ...selection: readonly Node[]) => ({
  node,
  selection: selection.length === 0 ? [node] : selection,
  isKey: false,
});
const key = (...selection: readonly Node[]) => ({ node: selection[0], selection, isKey: true });
const palette = { node: undefined, selection: [], isKey: false };

describe("what the rows of a command stand for", () => {
  it("a command for one works on the row that was clicked, whatever else is selected", () => {
    const [a, b] = [client("off-a"), client("off-b")];
    expect(chosenOf(row(b, a, b), wanted(false))).toEqual({
      kind: "targets",
      targets: [{ id: "off-b" }],
    });
  });

  it("a command for many works on the whole selection, each thing once", () => {
    const [a, b] = [client("off-a"), client("off-b")];
    const below = nodes.get({
      kind: "client",
      serverKey: "s",
      clientId: "off-a",
      place: "tunnels",
    });
    expect(chosenOf(row(a, a, b, below), wanted(true))).toEqual({
      kind: "targets",
      targets: [{ id: "off-a" }, { id: "off-b" }],
    });
  });

  it("a row of hosts that went together stands for each of them; for one, it is asked which", () => {
    const [a, b] = [client("off-a"), client("off-b")];
    expect(chosenOf(row(outage, outage, a), wanted(true))).toEqual({
      kind: "targets",
      targets: [{ id: "off-a" }, { id: "off-b" }],
    });
    expect(chosenOf(key(outage), wanted(true))).toMatchObject({ kind: "targets" });
    expect(chosenOf(row(outage), wanted(false))).toEqual({ kind: "ask", among: [a, b] });
    expect(chosenOf(key(outage), wanted(false))).toEqual({
      kind: "refused",
      why: "Select one of these first: 2 hosts behind 203.0.113.9.",
    });
  });

  it("a key never asks with a list: it says what has to be selected", () => {
    expect(chosenOf(key(), wanted(true))).toMatchObject({
      kind: "refused",
      why: "Select an offline client first.",
    });
    expect(chosenOf(key(group), wanted(true))).toMatchObject({
      why: "Online is not an offline client.",
    });
    expect(chosenOf(key(client("on-a")), wanted(true))).toMatchObject({
      why: "on-a is not an offline client.",
    });
    expect(chosenOf(key(client("off-a"), client("off-b")), wanted(false))).toMatchObject({
      kind: "refused",
      why: "Select one row: this is for one offline client at a time.",
    });
  });

  it("leaves out nothing of a selection in silence", () => {
    const mixed = row(client("off-a"), client("off-a"), client("on-b"), client("on-c"));
    expect(chosenOf(mixed, wanted(true))).toEqual({
      kind: "refused",
      why: "These are not offline clients: on-b, on-c.",
    });
  });

  it("asks from the palette, and from a title's button whose focused row is something else", () => {
    expect(chosenOf(palette, wanted(true))).toEqual({ kind: "ask" });
    expect(chosenOf(palette, wanted(false))).toEqual({ kind: "ask" });
    expect(chosenOf(row(group), wanted(false))).toEqual({ kind: "ask" });
  });
});
