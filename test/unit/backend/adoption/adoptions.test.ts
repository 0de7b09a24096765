import { authIdSchema, type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { Adoptions } from "../../../../backend/src/adoption/adoptions.ts";
import { openCredentials } from "../../../support/backend/credentials.ts";
import { keyless, logIn } from "../../../support/backend/newcomer.ts";
import { clientRecord } from "../../../support/backend/records.ts";

const FLEET = authIdSchema.parse("fleet");
const idOf = (id: string): ClientId => clientIdSchema.parse(id);
const [A, B, C] = [idOf("a"), idOf("b"), idOf("c")];

it("two adoptions at once take the secret of the first host all the way", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients, clock, edits } = fixture;
  const away = { disconnected_at: "2029-12-31T01:00:00Z" };
  await edits.commit(
    [A, B, C].map((id) => ({ kind: "seen", record: clientRecord({ id, ...away }) })),
  );
  await credentials.create({ id: FLEET, createdBy: "test" });
  const [own] = await credentials.mintForPairing(FLEET, 1, clock.now() + 600_000);
  const login = await logIn(credentials, FLEET, own?.secret ?? "");
  expect(await credentials.admit(login, keyless(A))).toMatchObject({ kind: "admitted" });
  const order: string[] = [];
  const adoptions = new Adoptions({
    store: edits,
    registry: clients.registry,
    credentials,
    tunnels: {
      tunnelsOf: () => [],
      mostPerClient: 64,
      adoptTunnels: async (to, from) => void order.push(`${from} to ${to}`),
    },
  });
  await Promise.all([adoptions.adopt(B, A), adoptions.adopt(C, B)]);
  expect(order).toEqual(["a to b", "b to c"]);
  expect(clients.recorded).toEqual([C]);
  expect(credentials.secrets(FLEET).flatMap(({ client_id }) => client_id ?? [])).toEqual([C]);
  expect(await credentials.admit(login, keyless(C))).toMatchObject({ kind: "admitted" });
});
