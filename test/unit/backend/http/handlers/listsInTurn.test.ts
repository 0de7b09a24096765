import { clientGroupInputSchema } from "@rport/protocol/people/clientGroup";
import { describe, expect, it } from "vitest";
import { accessHandlers } from "../../../../../backend/src/http/handlers/access.ts";
import { credentialHandlers } from "../../../../../backend/src/http/handlers/credentials.ts";
import { joinHandlers } from "../../../../../backend/src/http/handlers/joins.ts";
import { refusalHandlers } from "../../../../../backend/src/http/handlers/refusals.ts";
import { tunnelHandlers } from "../../../../../backend/src/http/handlers/tunnels.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import { ListSearches } from "../../../../../backend/src/lists/listSearches.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const GROUP = clientGroupInputSchema.parse({
  id: "all",
  params: { client_id: ["*"] },
  allowed_user_groups: ["few"],
});
const CONTEXT = {
  user: "anna",
  actor: { accountId: "anna", isAdministrator: true, groups: [] },
} as never;

/** The lists that are answered whole, with nothing in them that could take long. */
function setUp() {
  const clock = new FakeClock();
  const limits = new Limits({ clock, log: testLog().log, values: { list_queries: 1 } });
  const searches = new ListSearches({ limits, clock });
  const access = accessHandlers({
    searches,
    groups: { get: () => GROUP, list: () => [GROUP] },
    grants: { membersOf: () => [] },
    access: { maySee: () => true },
    seenParams: { of: async () => GROUP.params },
    isConnected: () => false,
  } as never);
  const tunnels = tunnelHandlers({
    access: { maySee: (_actor: unknown, id: string) => id === "seen" },
    searches,
    all: () => [{ client_id: "seen" }, { client_id: "hidden" }],
  } as never);
  const credentials = credentialHandlers({
    searches,
    rotation: async () => ({ rotation: null, clients: [] }),
    previewRotation: async () => ({ clients: [] }),
  } as never);
  const params = { authId: "fleet" };
  const lists: Readonly<Record<string, () => unknown>> = {
    "GET /client-groups/:id": () =>
      access.getClientGroup({ params: { clientGroupId: "all" }, query: {} } as never, CONTEXT),
    "GET /tunnels": () => tunnels.listTunnels({} as never, CONTEXT),
    "GET /clients-auth/:id/rotation": () => credentials.getRotation({ params } as never, CONTEXT),
    "POST /clients-auth/:id/rotate?dry_run=true": () =>
      credentials.rotateCredential(
        { params, query: { dry_run: true }, body: { grace_seconds: 60 } } as never,
        CONTEXT,
      ),
    "GET /refusals": () =>
      refusalHandlers({ list: () => [], clear: () => 0 }, searches).listRefusals(
        {} as never,
        CONTEXT,
      ),
    "GET /joins": () =>
      joinHandlers({ list: () => [] } as never, searches).listJoins({} as never, CONTEXT),
  };
  /** Somebody's search is under way until the answer is called. */
  const occupy = (user: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void searches.work({ accountId: user, name: user }, () => promise);
    return resolve;
  };
  return { lists, occupy };
}

describe.each(Object.keys(setUp().lists))("%s", (name) => {
  it("waits for its turn among the searches of all users, and one of each user waits", async () => {
    const { lists, occupy } = setUp();
    const end = occupy("eve");
    let isAnswered = false;
    const answer = Promise.resolve(lists[name]?.()).finally(() => {
      isAnswered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    await expect((async () => await lists[name]?.())()).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
    });
    end();
    expect(await answer).toHaveProperty("data");
  });
});

it("leaves out the tunnels of clients that somebody may not see", async () => {
  expect(await setUp().lists["GET /tunnels"]?.()).toEqual({
    data: [{ client_id: "seen" }],
    count: 1,
  });
});
