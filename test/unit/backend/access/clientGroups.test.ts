import { clientIdSchema } from "@rport/protocol/ids";
import { clientGroupIdSchema } from "@rport/protocol/people/clientGroup";
import { expect, it } from "vitest";
import { ClientGroups } from "../../../../backend/src/access/clientGroups.ts";
import { Turns } from "../../../../backend/src/platform/turns.ts";
import type { ClientGroupRecord } from "../../../../backend/src/store/records/clientGroupRecord.ts";

const WEB = clientIdSchema.parse("web-1");

it("leaves no group on a client's list that goes while the list is written", async () => {
  const groups = new Set(["operators", "owners"]);
  const written: (readonly string[])[] = [];
  const access = new ClientGroups({
    store: { commit: async () => undefined, turn: (_key, job) => job() },
    people: {
      group: (name) => (groups.has(name) ? name : undefined),
      clientGroup: () => undefined,
      clientGroups: () => [],
    },
    clients: {
      record: (id) => id,
      async setAcl(_id, names) {
        written.push(names);
        groups.delete("owners");
      },
    },
    settled: async () => undefined,
  });
  const setting = access.setAcl(WEB, ["operators", "owners"]);
  await expect(setting).rejects.toThrow("user groups not found: owners");
  expect(written.at(-1)).toEqual(["operators"]);
});

const GROUP = {
  id: clientGroupIdSchema.parse("recorded"),
  description: "",
  params: {},
  allowed_user_groups: [],
};

/** Changes of one group that wait for a disk one after the other, and the group as it is stored. */
function onSlowDisk() {
  const disk = Promise.withResolvers<void>();
  const turns = new Turns<string>();
  const stored: { record: ClientGroupRecord | undefined } = { record: undefined };
  const access = new ClientGroups({
    store: {
      commit: async ([edit]) => {
        await disk.promise;
        if (edit?.kind === "putClientGroup") stored.record = edit.record;
        if (edit?.kind === "removeClientGroup") stored.record = undefined;
      },
      turn: (key, job) => turns.run(key, job),
    },
    people: { group: () => undefined, clientGroup: () => stored.record, clientGroups: () => [] },
    clients: { record: () => undefined, setAcl: async () => undefined },
    settled: async () => undefined,
  });
  return { access, disk, stored };
}

it("keeps that a group records also where another change of it is on its way to the disk", async () => {
  const { access, disk, stored } = onSlowDisk();
  const mayAll = () => {};
  const recording = access.put({ ...GROUP, record_terminals: true }, mayAll);
  const changes = [recording, access.put(GROUP, mayAll)];
  disk.resolve();
  await Promise.all(changes);
  expect(stored.record?.record_terminals).toBe(true);
});

it.each<[string, (access: ClientGroups, requireRight: () => void) => Promise<void>]>([
  ["put", (access, requireRight) => access.put({ ...GROUP, description: "x" }, requireRight)],
  ["create", (access, requireRight) => access.create(GROUP, requireRight)],
  ["remove", (access, requireRight) => access.remove(GROUP.id, requireRight)],
])("does not %s for who lost the right while another change was on its way", async (_, change) => {
  const { access, disk, stored } = onSlowDisk();
  let isAllowed = true;
  const requireRight = () => {
    if (!isAllowed) throw new Error("no right any more");
  };
  const first = access.put(GROUP, () => {});
  const refused = expect(change(access, requireRight)).rejects.toThrow("no right any more");
  isAllowed = false;
  disk.resolve();
  await first;
  await refused;
  expect(stored.record?.description).toBe("");
});
