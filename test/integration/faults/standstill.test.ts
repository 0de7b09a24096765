import { setTimeout as pause } from "node:timers/promises";
import { REQUESTS } from "@rport/protocol/agent";
import { expect, it } from "vitest";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import type { HastyBackend } from "../../support/backend/hastyBackend.ts";
import { startChild } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { within } from "../../support/within.ts";

/** The server's time passes so much faster: its pings come each 3 s, and wait for 1 s. */
const FACTOR = 20;
/** Half a minute of the server's time. */
const STANDSTILL_MS = 30_000 / FACTOR;
const WELL = 12;

const isPing = (name: string) => name === REQUESTS.ping;

it("F-24: a server that stood still for half a minute, with pings on their way, cuts nobody but who never answers", async () => {
  await using child = startChild("backend/hastyBackend.ts", [String(FACTOR)]);
  const line = within("a server to be ready", child.lines.next());
  const server = JSON.parse(String((await line).value)) as HastyBackend;
  await using scope = new AsyncDisposableStack();
  const pinged = Promise.withResolvers<void>();
  type Answer = NonNullable<PeerAgentOptions["onRequest"]>;
  const join = async (id: string, onRequest: Answer) => {
    const login = { url: server.url.replace("http", "ws"), user: FLEET, password: server.password };
    const options = Object.assign(login, { onRequest, introduction: { ID: id } });
    return scope.use(await PeerAgent.join(options));
  };
  const silent = await join("silent", (name) => (isPing(name) ? new Promise(() => {}) : undefined));
  const well: PeerAgent[] = [];
  let isStopped = false;
  const stop: Answer = (name) => {
    if (!isPing(name) || isStopped) return undefined;
    // It stops before it can read this ping's answer.
    isStopped = child.process.kill("SIGSTOP");
    pinged.resolve();
    return undefined;
  };
  for (let n = 0; n < WELL; n += 1)
    well.push(await join(`well-${n}`, n === 0 ? stop : () => undefined));

  await within("a ping", pinged.promise);
  await pause(STANDSTILL_MS);
  const before = well.map((agent) => agent.heardOf(REQUESTS.ping).length);
  child.process.kill("SIGCONT");

  await within("the silent one to be cut", silent.closed);
  // The next round reaches everybody, so everybody is still there.
  await eventually(() => {
    const now = well.map((agent) => agent.heardOf(REQUESTS.ping).length);
    expect(now.map((count, n) => count > (before[n] ?? 0))).toEqual(now.map(() => true));
  }, 15_000);
  expect(well.filter(({ connection }) => connection.transport.isClosed)).toEqual([]);
});
