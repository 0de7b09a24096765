import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { clientGroupInputSchema } from "@rport/protocol/people/clientGroup";
import { describe, expect, it } from "vitest";
import { SeenParams } from "../../../../backend/src/access/seenParams.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { ListSearches } from "../../../../backend/src/lists/listSearches.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const GROUP = {
  id: "all",
  params: { client_id: ["*"], name: ["web-*", "db-*"], os: ["never shown to fit"] },
  allowed_user_groups: ["few"],
};
const USER = { isAdministrator: false, groups: ["few"] };

/** Looking at one client takes as long as `stepMs` says. */
function setUp({ count = 3, stepMs = 0 } = {}) {
  const clock = new FakeClock();
  const ids = Array.from({ length: count }, (_, n) => clientIdSchema.parse(`host-${n}`));
  const records = new Map(ids.map((id, n) => [id, clientRecord({ id, name: `web-${n}` })]));
  const looked: ClientId[] = [];
  const grants = { version: 0 };
  const recordOf = (id: ClientId) => {
    looked.push(id);
    clock.advance(stepMs);
    return records.get(id);
  };
  const seenParams = new SeenParams({ grants, recordOf, clock });
  const limits = new Limits({ clock, log: testLog().log, values: {} });
  const searches = new ListSearches({ limits, clock });
  const record = clientGroupInputSchema.parse(GROUP);
  const namesFor = async (actor = USER, group = record) => {
    const params = await searches.work({ accountId: "1", name: "anna" }, (each) =>
      seenParams.of({ record: group, actor, each }, async () => ids),
    );
    return params.name;
  };
  return { namesFor, looked, records, grants, clock, record, ids };
}

describe("what somebody is shown of a group's parameters", () => {
  it("names hosts only where a client fits that they see, and everything to administrators", async () => {
    const { namesFor } = setUp();
    expect(await namesFor()).toEqual(["web-*"]);
    expect(await namesFor({ isAdministrator: true, groups: [] })).toEqual(["web-*", "db-*"]);
  });

  it("is found once for all who are in the same groups", async () => {
    const { namesFor, looked } = setUp();
    await namesFor({ ...USER, groups: ["few", "others"] });
    const before = looked.length;
    expect(await namesFor({ ...USER, groups: ["others", "few"] })).toEqual(["web-*"]);
    expect(looked.length).toBe(before);
    await namesFor();
    expect(looked.length).toBeGreaterThan(before);
  });

  it("is found anew when who sees what has changed, or the group, or after some seconds", async () => {
    const { namesFor, records, grants, clock, record, ids } = setUp();
    const rename = (name: string) => {
      for (const id of ids) records.set(id, clientRecord({ id, name }));
    };
    await namesFor();
    rename("db-1");
    grants.version += 1;
    expect(await namesFor()).toEqual(["db-*"]);
    rename("web-1");
    expect(await namesFor(USER, { ...record })).toEqual(["web-*"]);
    rename("db-1");
    clock.advance(5_000);
    expect(await namesFor()).toEqual(["db-*"]);
  });

  it("takes a few milliseconds of a turn, however many clients there are", async () => {
    const { namesFor, looked } = setUp({ count: 100, stepMs: 1 });
    const finding = namesFor();
    await new Promise((resolve) => setImmediate(resolve));
    expect(looked.length).toBeLessThan(20);
    expect(await finding).toEqual(["web-*"]);
    expect(looked.length).toBe(100);
  });
});
