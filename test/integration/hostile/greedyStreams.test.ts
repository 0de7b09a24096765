import { once } from "node:events";
import { DIAL_PATH, EVENTS_PATH } from "@rport/protocol/http";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { groups } from "../../support/backend/people.ts";
import { addUser, bearer, send, signIn } from "../../support/backend/person.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "web-01";

it("a user's streams to hosts leave a quarter of their connections to requests and events", async () => {
  await using scope = new AsyncDisposableStack();
  const backend = scope.use(await startBackend({ limits: { sockets_per_user: 8 } }));
  const password = await makeFleet({ call: backend.api });
  const agent = scope.use(await startAgent(agentOf(backend, password, HOST)));
  await agent.online();
  const target = scope.use(await tcpServer(() => {}));
  await addUser(backend, "root", { groups: groups(ADMINISTRATORS) });
  const authorization = bearer(await signIn(backend, "root"));

  /** A socket at this path, or the status that it is refused with. */
  const open = async (path: string): Promise<WebSocket | number> => {
    const url = backend.url.replace("http", "ws") + path;
    const socket = new WebSocket(url, { headers: { Authorization: authorization } });
    scope.defer(() => socket.terminate());
    socket.on("error", () => {});
    const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => statusCode);
    return await Promise.race([once(socket, "open").then(() => socket), refused]);
  };
  const stream = () =>
    open(`${DIAL_PATH}?client_id=${HOST}&host=127.0.0.1&port=${String(target.port)}`);

  const streams: (WebSocket | number)[] = [];
  for (let n = 0; n < 8; n += 1) streams.push(await stream());
  expect(streams.filter((each) => each === 429)).toHaveLength(2);
  await backend.logged((line) => line.includes("sockets_per_user") && line.includes("root"));
  expect((await send(backend, "GET /me", { authorization })).status).toBe(200);
  expect(await open(EVENTS_PATH)).toBeInstanceOf(WebSocket);

  const [first] = streams;
  if (!(first instanceof WebSocket)) throw new Error(`refused: ${first}`);
  first.terminate();
  await eventually(async () => expect(await stream()).toBeInstanceOf(WebSocket));
});
