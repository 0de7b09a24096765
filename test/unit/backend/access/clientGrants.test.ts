import { clientIdSchema } from "@rport/protocol/ids";
import { clientGroupInputSchema } from "@rport/protocol/people/clientGroup";
import { describe, expect, it } from "vitest";
import { ClientGrants } from "../../../../backend/src/access/clientGrants.ts";
import { GroupAccess } from "../../../../backend/src/access/groupAccess.ts";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import type { ClientRecord } from "../../../../backend/src/store/records/clientRecord.ts";
import { STRANGER } from "../../../../backend/src/users/actor.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { eventually } from "../../../support/eventually.ts";

const groupOf = (given: object) => clientGroupInputSchema.parse(given);
const idOf = (text: string) => clientIdSchema.parse(text);

/** An index over records that a test changes. */
class Scene {
  readonly records = new Map<string, ClientRecord>();
  readonly connected = new Set<string>();
  readonly changed: string[] = [];
  readonly grants = new ClientGrants({
    clients: { record: (id) => this.records.get(id), records: () => this.records.values() },
    isConnected: (id) => this.connected.has(id),
    clock: systemClock,
    onFault: (error) => {
      throw error;
    },
  });

  constructor() {
    this.grants.follow((id) => this.changed.push(id));
  }

  put(given: Parameters<typeof clientRecord>[0] & { readonly id: string }): void {
    this.records.set(given.id, clientRecord(given));
    this.grants.refresh(idOf(given.id));
  }

  drop(id: string): void {
    this.records.delete(id);
    this.grants.refresh(idOf(id));
  }

  /** Who sees a client, of these groups of users. */
  seenBy(id: string, groups: readonly string[]): readonly string[] {
    const access = new GroupAccess(this.grants);
    return groups.filter((name) => access.maySee({ ...STRANGER, groups: [name] }, idOf(id)));
  }

  /** Where the client is, and who may see it. */
  of(id: string) {
    return { groups: this.grants.groupsOf(idOf(id)), grants: this.grants.grantsOf(idOf(id)) };
  }
}

const WEB = { id: "web", params: { tag: ["web"] }, allowed_user_groups: ["operators"] };

describe("who sees a client", () => {
  it("follows its own list, and the groups of clients that it is in", async () => {
    const scene = new Scene();
    scene.put({ id: "a", tags: ["web"], allowed_user_groups: ["owners"] });
    scene.put({ id: "b", tags: ["db"] });
    await scene.grants.putGroup(groupOf(WEB));
    expect(scene.of("a")).toEqual({ groups: ["web"], grants: ["operators", "owners"] });
    expect(scene.seenBy("a", ["owners", "operators", "others"])).toEqual(["owners", "operators"]);
    expect(scene.seenBy("b", ["owners", "operators", "others"])).toEqual([]);
    expect(scene.of("no-such-client")).toEqual({ groups: [], grants: [] });
  });

  it("administrators see all, also what nobody else does", () => {
    const access = new GroupAccess(new Scene().grants);
    const administrator = { ...STRANGER, isAdministrator: true };
    expect(access.maySee(administrator, idOf("a"))).toBe(true);
    expect(access.maySee(STRANGER, idOf("a"))).toBe(false);
  });

  it("changes with its tags, with its connection, and when it is gone", async () => {
    const scene = new Scene();
    await scene.grants.putGroup(groupOf(WEB));
    await scene.grants.putGroup(
      groupOf({ id: "away", params: { connection_state: ["disconnected"] } }),
    );
    scene.put({ id: "a", tags: ["db"] });
    expect(scene.of("a").groups).toEqual(["away"]);
    scene.connected.add("a");
    scene.put({ id: "a", tags: ["web", "db"] });
    expect(scene.of("a")).toEqual({ groups: ["web"], grants: ["operators"] });
    expect([...scene.grants.membersOf(groupOf(WEB).id)]).toEqual(["a"]);
    scene.drop("a");
    expect(scene.of("a")).toEqual({ groups: [], grants: [] });
    expect([...scene.grants.membersOf(groupOf(WEB).id)]).toEqual([]);
  });

  it("changes with the definition of a group, with who may see it, and with its end", async () => {
    const scene = new Scene();
    scene.put({ id: "a", tags: ["web"] });
    scene.put({ id: "b", tags: ["db"] });
    await scene.grants.putGroup(groupOf(WEB));
    await scene.grants.putGroup(groupOf({ ...WEB, params: { tag: ["db"] } }));
    expect([scene.of("a").grants, scene.of("b").grants]).toEqual([[], ["operators"]]);
    await scene.grants.putGroup(
      groupOf({ ...WEB, params: { tag: ["*"] }, allowed_user_groups: ["x"] }),
    );
    expect([scene.of("a").grants, scene.of("b").grants]).toEqual([["x"], ["x"]]);
    await scene.grants.dropGroup(groupOf(WEB).id);
    expect([scene.of("a"), scene.of("b")]).toEqual(Array(2).fill({ groups: [], grants: [] }));
  });

  it("is told once for each change, and not when nothing has changed", async () => {
    const scene = new Scene();
    scene.put({ id: "plain" });
    scene.put({ id: "a", tags: ["web"] });
    expect(scene.changed).toEqual([]);
    await scene.grants.putGroup(groupOf(WEB));
    await scene.grants.putGroup(groupOf({ ...WEB, description: "another text" }));
    scene.put({ id: "a", tags: ["web"], name: "another name" });
    expect(scene.changed).toEqual(["a"]);
    scene.put({ id: "a", tags: ["web"], allowed_user_groups: ["operators"] });
    expect(scene.changed).toEqual(["a"]);
    scene.drop("a");
    expect(scene.changed).toEqual(["a", "a"]);
  });

  it("is counted without a look at every client", async () => {
    const scene = new Scene();
    scene.connected.add("a");
    for (const id of ["a", "b", "c"]) scene.put({ id, tags: id === "c" ? [] : ["web"] });
    await scene.grants.putGroup(groupOf(WEB));
    scene.put({ id: "c", allowed_user_groups: ["operators", "owners"] });
    expect(scene.grants.seenBy(["operators"])).toEqual({ connected: 1, disconnected: 2 });
    expect(scene.grants.seenBy(["owners", "operators"])).toEqual({ connected: 1, disconnected: 2 });
    expect(scene.grants.seenBy(["others"])).toEqual({ connected: 0, disconnected: 0 });
    scene.drop("a");
    expect(scene.grants.seenBy(["operators"])).toEqual({ connected: 0, disconnected: 2 });
  });
});

describe("a client whose tags take long to be compared with all groups", () => {
  const many = (of: number) => ({
    id: `group-${of}`,
    params: { tag: manyTexts(`in-${of}-`, "!*") },
  });
  const manyTexts = (before: string, after: string) =>
    Array.from({ length: 100 }, (_, n) => `${before}${n}${after}`);

  async function crowded(): Promise<Scene> {
    const scene = new Scene();
    await scene.grants.putGroup(groupOf(WEB));
    for (let n = 0; n < 20; n++) await scene.grants.putGroup(groupOf(many(n)));
    return scene;
  }

  it("is in its groups some turns later, and others at once", async () => {
    const scene = await crowded();
    const heavy = { id: "heavy", tags: [...manyTexts("tag", ""), "in-19-7!"] };
    scene.put({ ...heavy, allowed_user_groups: ["owners"] });
    expect(scene.of("heavy")).toEqual({ groups: [], grants: ["owners"] });
    scene.put({ id: "light", tags: ["web"] });
    expect(scene.of("light").groups).toEqual(["web"]);
    await eventually(() => expect(scene.of("heavy").groups).toEqual(["group-19"]));
    expect([...scene.grants.membersOf(groupOf(many(19)).id)]).toEqual(["heavy"]);
  });

  it("is looked at as it is when its turn has come, and in no group that has gone since", async () => {
    const scene = await crowded();
    scene.put({ id: "heavy", tags: [...manyTexts("tag", ""), "in-19-7!"] });
    scene.put({ id: "heavy", tags: [...manyTexts("tag", ""), "in-18-7!", "in-17-7!"] });
    const dropped = scene.grants.dropGroup(groupOf(many(17)).id);
    await eventually(() => expect(scene.of("heavy").groups).toEqual(["group-18"]));
    await dropped;
    scene.put({ id: "heavy", tags: [...manyTexts("tag", ""), "in-16-7!"] });
    scene.drop("heavy");
    await new Promise(setImmediate);
    expect(scene.of("heavy")).toEqual({ groups: [], grants: [] });
  });

  it("waits for the others of its credential, and keeps no other one waiting", async () => {
    const scene = await crowded();
    const tags = [...manyTexts("tag", ""), "in-16-7!"];
    for (let n = 0; n < 50; n++) scene.put({ id: `crowd-${n}`, tags, client_auth_id: "stolen" });
    scene.put({ id: "alone", tags, client_auth_id: "honest" });
    await eventually(() => expect(scene.of("crowd-49").groups).toEqual(["group-16"]));
    expect(scene.of("alone").groups).toEqual(["group-16"]);
    expect(scene.changed.indexOf("alone")).toBeGreaterThanOrEqual(0);
    expect(scene.changed.indexOf("alone")).toBeLessThan(5);
  });
});

describe("a change of a group, with ten thousand clients", () => {
  it("gives others their turn, and takes those in that come meanwhile", async () => {
    const scene = new Scene();
    for (let n = 0; n < 10_000; n++) scene.put({ id: `c-${n}`, tags: ["web"] });
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const done = scene.grants.putGroup(groupOf(WEB));
    scene.put({ id: "late", tags: ["web"] });
    expect(scene.of("late").groups).toEqual(["web"]);
    await done;
    clearInterval(counting);
    expect(scene.grants.seenBy(["operators"]).disconnected).toBe(10_001);
    expect(scene.changed.length).toBe(10_001);
    expect(turns).toBeGreaterThan(0);
  });
});
