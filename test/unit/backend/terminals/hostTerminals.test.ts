import { createSecretKey } from "node:crypto";
import { ALL_FEATURES } from "@rport/protocol/agent";
import { clientIdSchema } from "@rport/protocol/ids";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import type { Reply } from "@rport/protocol/wire/requests";
import { describe, expect, it } from "vitest";
import type { LiveSession } from "../../../../backend/src/clients/liveSession.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { HostTerminals } from "../../../../backend/src/terminals/hostTerminals.ts";
import { TerminalIds } from "../../../../backend/src/terminals/terminalIds.ts";
import { Terminals } from "../../../../backend/src/terminals/terminals.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const CLIENT = clientIdSchema.parse("web-01");
const ids = new TerminalIds(createSecretKey(Buffer.alloc(32, 7)), new FakeClock());
/** Those of before the server was started again. */
const earlier = new TerminalIds(createSecretKey(Buffer.alloc(32, 7)), new FakeClock(0));
const OWNER = "somebody";

/** A connection that says it is the client; it answers when a test says so. */
class Session {
  readonly clientId = CLIENT;
  readonly features = ALL_FEATURES;
  readonly isClosed = false;
  readonly told: string[] = [];
  readonly answer = Promise.withResolvers<Reply>();

  notify(name: string): void {
    this.told.push(name);
  }

  async ask(): Promise<Reply> {
    return await this.answer.promise;
  }

  says(list: object): void {
    this.answer.resolve({ ok: true, payload: Buffer.from(JSON.stringify(list)) });
  }

  get live(): LiveSession {
    return this as unknown as LiveSession;
  }
}

/** One terminal of a client, as which `connected` is in. */
function setUp() {
  const clock = new FakeClock();
  const { log } = testLog();
  const limits = new Limits({ clock, log });
  const state: { connected: Session | undefined } = { connected: new Session() };
  const connected = () => state.connected?.live;
  const events = { opened() {}, resumed() {}, failed() {}, ended() {} };
  const hostnameOf = () => undefined;
  const owners = { nameOf: () => OWNER, may: () => true };
  const recordings = { async over() {} };
  const facts = { ids, events, connected, hostnameOf, recordings, limits, clock };
  const terminals = new Terminals({ ...facts, owners: owners as never });
  const hosts = new HostTerminals({ terminals, ids, connected, clock, log });
  const id = earlier.give({ clientId: CLIENT, owner: OWNER });
  const held = { id, owner: OWNER, ownerName: OWNER, account: "root", startedAtMs: clock.now() };
  const terminal = terminals.asTold(CLIENT, held);
  terminals.table.add(terminal);
  return { clock, state, terminals, hosts, held, terminal };
}

describe("the terminals of a host", () => {
  it("stay when a connection leaves in whose place another one has come", () => {
    const { clock, state, terminals, hosts } = setUp();
    const old = new Session();
    hosts.arrived(state.connected?.live as LiveSession);
    hosts.left(old.live);
    clock.advance(TERMINAL.keepMs * 2);
    expect(terminals.table.size).toBe(1);
  });

  it("stay when a connection is dismissed that is not in", () => {
    const { hosts, terminal } = setUp();
    const other = new Session();
    hosts.endAll(other.live);
    expect(terminal.ending).toBeUndefined();
    expect(other.told).toEqual([]);
  });

  it("are known once the host is in and has answered, not before", async () => {
    const { state, hosts, terminals, held } = setUp();
    const session = state.connected as Session;
    terminals.table.remove(terminals.table.all()[0] as never);
    let isKnown = false;
    const known = hosts.known(session).then(() => {
      isKnown = true;
    });
    await turn();
    expect(isKnown).toBe(false);
    hosts.arrived(session.live);
    await turn();
    expect(isKnown).toBe(false);
    session.says({ terminals: [held] });
    await known;
    expect(terminals.table.get(held.id)).toMatchObject({ owner: OWNER });
  });

  it("are asked for at the host after their end as long as it may have the rest of them", () => {
    const { clock, terminals, held, terminal } = setUp();
    terminals.over(terminal, { end: { how: "exit" }, endedAtMs: clock.now() });
    clock.advance(TERMINAL.keepMs);
    expect(terminals.endOf(held.id)?.isForgotten()).toBe(false);
    clock.advance(TERMINAL.keepMs);
    expect(terminals.endOf(held.id)?.isForgotten()).toBe(true);
  });

  it("are not known of a connection that ends before it is in", async () => {
    const { state, hosts } = setUp();
    const session = state.connected as Session;
    const known = hosts.known(session);
    hosts.left(session.live);
    await expect(known).rejects.toMatchObject({ code: "CLIENT_OFFLINE" });
  });
});

describe("the id of a terminal", () => {
  it("is one text: its last character has no other form", () => {
    const place = { clientId: CLIENT, owner: OWNER };
    const id = ids.give(place);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const given = [...letters].filter((letter) =>
      ids.isGiven(`${id.slice(0, -1)}${letter}` as typeof id, place),
    );
    expect(given).toEqual([id.at(-1)]);
  });
});

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
