import {
  changesTo,
  deltaSchema,
  ENTITY_NAMES,
  pieceSchema,
  snapshotSchema,
} from "@rport/protocol/events";
import { describe, expect, it } from "vitest";
import { client, join, pairing, snapshot, tunnel } from "../extension/entities.ts";

const AT = "2030-01-01T00:00:01Z";
const delta = (change: unknown) => ({ type: "delta", seq: 2, at: AT, changes: [change] });

describe("the table of what watchers are told", () => {
  it("gives a snapshot its members, in the order in which they are sent", () => {
    const lists = ["clients", "credentials", "tunnels", "pairings", "joins", "refusals", "users"];
    expect(Object.keys(snapshotSchema.shape)).toEqual([
      ...["type", "seq", "at", "server"],
      ...lists,
      "more",
    ]);
    expect(Object.keys(pieceSchema.shape)).toEqual(["type", "seq", ...lists, "more"]);
  });

  it("is complete in one message unless it says that more comes", () => {
    const { more, ...whole } = snapshot();
    expect(snapshotSchema.parse(whole).more).toBe(false);
  });

  it("takes a server that does not know joins and refusals for one that has none", () => {
    const { joins, refusals, ...older } = snapshot();
    expect(snapshotSchema.parse(older)).toMatchObject({ joins: [], refusals: [] });
  });

  it.each(["server", "clients", "credentials", "tunnels", "pairings"])(
    "takes nothing without %s for a snapshot",
    (member) => {
      const rest = Object.entries(snapshot()).filter(([name]) => name !== member);
      expect(snapshotSchema.safeParse(Object.fromEntries(rest)).success).toBe(false);
    },
  );

  it("gives every kind its change, and takes no value of another kind", () => {
    for (const entity of ENTITY_NAMES) {
      const id = entity === "pairing" ? "0000000000000000" : "web-01";
      const gone = { entity, id, value: null };
      expect(deltaSchema.parse(delta(gone)).changes).toEqual([gone]);
      const other = entity === "client" ? pairing("0000000000000000") : client("web");
      const wrong = delta({ entity, id, value: other });
      expect(deltaSchema.safeParse(wrong).success).toBe(false);
    }
    expect(deltaSchema.safeParse(delta({ entity: "door", id: "1", value: null })).success).toBe(
      false,
    );
  });

  it("tells a snapshot as changes, each with the id that later changes have", () => {
    const all = snapshot({
      clients: [client("web")],
      tunnels: [tunnel("web", "1")],
      joins: [join("join-0001")],
    });
    const ids = [...changesTo(all)].map(({ entity, id }) => [entity, id]);
    expect(ids).toEqual([
      ["client", "web"],
      ["tunnel", "web/1"],
      ["join", "join-0001"],
    ]);
  });
});
