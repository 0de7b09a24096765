import { authIdSchema, clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { Adoptions } from "../../../../backend/src/adoption/adoptions.ts";
import { ClientRegistry } from "../../../../backend/src/clients/registry/registry.ts";
import { noPairings } from "../../../../backend/src/credentials/ports.ts";
import { openCredentials } from "../../../support/backend/credentials.ts";
import { logIn } from "../../../support/backend/newcomer.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { testLog } from "../../../support/log.ts";

const FLEET = authIdSchema.parse("fleet");
const [A, B, C] = ["a", "b", "c"].map((id) => clientIdSchema.parse(id)) as [
  ReturnType<typeof clientIdSchema.parse>,
  ReturnType<typeof clientIdSchema.parse>,
  ReturnType<typeof clientIdSchema.parse>,
];

it("two moves at once take the secret of the first host all the way", async () => {
  await using fixture = await openCredentials();
  const { credentials, store, clock } = fixture;
  const away = { disconnected_at: "2029-12-31T01:00:00Z" };
  for (const id of [A, B, C]) await store.clientRows.put(clientRecord({ id, ...away }));
  const { log } = testLog();
  const touch = () => undefined;
  const rows = store.clientRows;
  const registry = await ClientRegistry.open({ rows, clock, log, touch, secretOf: () => null });
  credentials.attach({ sessions: registry, pairings: noPairings });
  await credentials.create({ id: FLEET, createdBy: "test" });
  const [own] = await credentials.mintForPairing(FLEET, 1, clock.now() + 600_000);
  const login = await logIn(credentials, FLEET, own?.secret ?? "");
  expect(await credentials.admit(login, A)).toMatchObject({ kind: "admitted" });
  const order: string[] = [];
  const moves = new Adoptions({
    registry,
    credentials,
    tunnels: {
      tunnelsOf: () => [],
      adoptTunnels: async (to, from) => void order.push(`${from} to ${to}`),
    },
  });
  await Promise.all([moves.move(B, A), moves.move(C, B)]);
  expect(order).toEqual(["a to b", "b to c"]);
  expect(registry.list().map(({ id }) => id)).toEqual([C]);
  expect(credentials.secrets(FLEET).flatMap(({ client_id }) => client_id ?? [])).toEqual([C]);
  expect(await credentials.admit(login, C)).toMatchObject({ kind: "admitted" });
  await registry.close();
});
