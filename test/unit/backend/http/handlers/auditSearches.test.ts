import { expect, it } from "vitest";
import { auditHandlers } from "../../../../../backend/src/http/handlers/audit.ts";
import { type Actor, localActor } from "../../../../../backend/src/users/actor.ts";
import { callContext } from "../../../../support/backend/callContext.ts";
import { noAudit } from "../../../../support/backend/noAudit.ts";

/** A search of the audit log by an administrator; `during` happens while it waits for its turn. */
async function search(during: (actor: { isAdministrator: boolean }) => void) {
  const ended = new AbortController().signal;
  const actor: { isAdministrator: boolean } & Omit<Actor, "isAdministrator"> = {
    ...localActor({ tokenId: "t", name: "anna", ended }),
  };
  const index = {
    list: () => {
      during(actor);
      return Promise.resolve({ rows: [], count: 0 });
    },
  };
  const { listAudit } = auditHandlers({ audit: noAudit, index, people: { get: () => undefined } });
  const context = callContext(actor, "anna");
  return await listAudit({ params: {}, query: {}, body: undefined }, context);
}

it("who is no administrator any more when the search is done is not told what others did", async () => {
  expect(await search(() => {})).toEqual({ data: [], count: 0 });
  const refused = search((actor) => {
    actor.isAdministrator = false;
  });
  await expect(refused).rejects.toMatchObject({ code: "FORBIDDEN" });
});
