import {
  type ClientGroupParams,
  clientGroupParamsSchema,
} from "@rport/protocol/people/clientGroup";
import { describe, expect, it } from "vitest";
import { groupFit } from "../../../../backend/src/access/groupFit.ts";
import { ItemTexts } from "../../../../backend/src/lists/itemTexts.ts";
import { clientRecord } from "../../../support/backend/records.ts";

const record = clientRecord({
  id: "c-1",
  name: "Web 1.example",
  os_kernel: "linux",
  ipv4: ["192.0.2.1", "198.51.100.7"],
  ipv6: [],
  tags: ["Linux", "web", "Datacenter 3"],
});

function fits(params: unknown, isConnected = true): boolean {
  const parsed: ClientGroupParams = clientGroupParamsSchema.parse(params);
  return groupFit(parsed)(new ItemTexts({ record, isConnected }));
}

describe("a client belongs to a group", () => {
  it.each([
    ["one of the texts fits", { name: ["db*", "web*"] }],
    ["whatever its case", { name: ["WEB 1.EXAMPLE"], os_kernel: ["LINUX"] }],
    ["a star stands for anything, also for nothing", { client_id: ["*c*-*1*"] }],
    ["one of its addresses fits", { ipv4: ["198.51.*"] }],
    ["one of the tags fits", { tag: ["nothing", "WEB"] }],
    ["one of the tags fits, with `or`", { tag: { or: ["data*", "nothing"] } }],
    ["all of the tags fit, with `and`", { tag: { and: ["data*", "linux"] } }],
    ["its connection is as it should be", { connection_state: ["connected"] }],
    ["what is null was not given", { client_id: ["c-1"], name: null, tag: null }],
    ["no address is asked for, and it has none", { ipv6: [] }],
  ])("%s", (_, params) => expect(fits(params)).toBe(true));

  it.each([
    ["no parameter is given", {}],
    ["only null is given", { name: null, tag: null }],
    ["one parameter does not fit", { name: ["web*"], os_kernel: ["windows"] }],
    ["a text is a part only", { name: ["web"] }],
    ["a dot would be any character", { name: ["Web 1xexample"] }],
    ["a pattern that is none here", { name: [".*", "W.b.*", "(Web|db)*"] }],
    ["one of the tags does not fit, with `and`", { tag: { and: ["linux", "nothing"] } }],
    ["no tag fits, with `or`", { tag: { or: ["nothing"] } }],
    ["a list without texts", { name: [] }],
    ["it has no address, and one is asked for", { ipv6: ["*"] }],
  ])("not when %s", (_, params) => expect(fits(params)).toBe(false));

  it("as long as its connection is as it should be", () => {
    const away = { connection_state: ["Disconnected"] };
    expect([fits(away, true), fits(away, false)]).toEqual([false, true]);
  });

  it("is found out in time that grows with the lengths, whatever the pattern", () => {
    const pattern = `${"*a".repeat(99)}*b`;
    const long = clientRecord({ name: "a".repeat(1_000) });
    const ofGroup = groupFit(clientGroupParamsSchema.parse({ name: Array(100).fill(pattern) }));
    const startMs = performance.now();
    expect(ofGroup(new ItemTexts({ record: long, isConnected: true }))).toBe(false);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});
