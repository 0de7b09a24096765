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

it("keeps that a group records also where another change of it is on its way to the disk", async () => {
  const id = clientGroupIdSchema.parse("recorded");
  const given = { id, description: "", params: {}, allowed_user_groups: [] };
  const disk = Promise.withResolvers<void>();
  const turns = new Turns<string>();
  let stored: ClientGroupRecord | undefined;
  const access = new ClientGroups({
    store: {
      commit: async ([edit]) => {
        await disk.promise;
        if (edit?.kind === "putClientGroup") stored = edit.record;
      },
      turn: (key, job) => turns.run(key, job),
    },
    people: { group: () => undefined, clientGroup: () => stored, clientGroups: () => [] },
    clients: { record: () => undefined, setAcl: async () => undefined },
    settled: async () => undefined,
  });
  const changes = [access.put({ ...given, record_terminals: true }), access.put(given)];
  disk.resolve();
  await Promise.all(changes);
  expect(stored?.record_terminals).toBe(true);
});
