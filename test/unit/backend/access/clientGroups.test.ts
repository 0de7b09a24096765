import { clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { ClientGroups } from "../../../../backend/src/access/clientGroups.ts";

const WEB = clientIdSchema.parse("web-1");

it("leaves no group on a client's list that goes while the list is written", async () => {
  const groups = new Set(["operators", "owners"]);
  const written: (readonly string[])[] = [];
  const access = new ClientGroups({
    store: { commit: async () => undefined },
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
