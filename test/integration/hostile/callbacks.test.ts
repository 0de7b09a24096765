import { once } from "node:events";
import { connect } from "node:net";
import { REQUESTS } from "@rport/protocol/agent";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Backend } from "../../../backend/src/backend.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import {
  BROKEN,
  type BrokenOnce,
  breakOnce,
  escapedFaults,
} from "../../support/faults/brokenOnce.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const BYSTANDER = "bystander";
const VICTIM = "victim";

/** What throws, and who runs into it. */
interface Case {
  readonly breaks: (backend: Backend) => BrokenOnce;
  /** Comes to where it is broken; `prepared` once everything before that has gone well. */
  readonly meets: (scene: Scene, prepared: () => void) => Promise<void>;
}

/** A backend, an agent that is none of its business, and the means to bring others. */
interface Scene {
  readonly backend: RunningBackend;
  /** Signs an agent in, and introduces it. */
  join(id: string): Promise<PeerAgent>;
}

const editorComes: Case["meets"] = async ({ backend }, prepared) => {
  prepared();
  using events = backend.events();
  await events.closed;
};

const editorLeaves: Case["meets"] = async ({ backend }, prepared) => {
  const events = backend.events();
  await events.snapshot();
  prepared();
  events.socket.close();
  await events.closed;
};

const agentComes: Case["meets"] = async ({ join }, prepared) => {
  prepared();
  const agent = await join(VICTIM).catch(() => undefined);
  await agent?.closed;
};

const agentLeaves: Case["meets"] = async ({ join }, prepared) => {
  const agent = await join(VICTIM);
  prepared();
  agent.connection.close("bye");
  await agent.closed;
};

const somethingChanges: Case["meets"] = async ({ backend }, prepared) => {
  using events = backend.events();
  await events.snapshot();
  prepared();
  await backend.api("createCredential", { body: { id: "changed" } });
  await backend.logged((line) => line.includes(BROKEN));
};

const tunnelIsUsed: Case["meets"] = async ({ backend }, prepared) => {
  await using target = await tcpServer((socket) => socket.end());
  const tunnel = await backend.api("createTunnel", {
    params: { clientId: BYSTANDER },
    query: { remote: `127.0.0.1:${target.port}` },
  });
  prepared();
  const socket = connect(Number(tunnel.lport), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "close");
};

const CASES: Readonly<Record<string, Case>> = {
  "the snapshot of an editor that comes": {
    breaks: ({ hub }) => breakOnce(hub, "watch"),
    meets: editorComes,
  },
  "the end of an editor's socket": {
    breaks: ({ hub }) => breakOnce(hub, "unwatch"),
    meets: editorLeaves,
  },
  "a change that editors are told of": {
    breaks: ({ credentials }) => breakOnce(credentials, "get"),
    meets: somethingChanges,
  },
  "the first moment after an agent's login": {
    breaks: ({ presence }) => breakOnce(presence, "enter"),
    meets: agentComes,
  },
  "writing down that an agent came": {
    breaks: ({ auditing }) => breakOnce(auditing.agents, "connected"),
    meets: agentComes,
  },
  "what follows when an agent is in": {
    breaks: ({ credentials }) => breakOnce(credentials, "onSessionReady"),
    meets: agentComes,
  },
  "the tunnels of an agent that leaves": {
    breaks: ({ tunnels }) => breakOnce(tunnels, "detach"),
    meets: agentLeaves,
  },
  "the presence of an agent that leaves": {
    breaks: ({ presence }) => breakOnce(presence, "release"),
    meets: agentLeaves,
  },
  "a connection at a tunnel's port": {
    breaks: ({ hub }) => breakOnce(hub, "touch"),
    meets: tunnelIsUsed,
  },
};

describe("F-25 a fault of the server in a callback", () => {
  it.each(Object.entries(CASES))(
    "ends what it belongs to and nothing else: %s",
    async (_name, one) => {
      using escaped = escapedFaults();
      await using backend = await startBackend();
      const { password } = await backend.api("createCredential", { body: { id: FLEET } });
      const url = backend.url.replace("http", "ws");
      const join = (id: string): Promise<PeerAgent> =>
        PeerAgent.join({ url, user: FLEET, password, introduction: { ID: id } });
      const bystander = await join(BYSTANDER);

      let broken: BrokenOnce | undefined;
      await one.meets({ backend, join }, () => {
        broken = one.breaks(backend.backend);
      });
      await eventually(() => expect(broken?.times()).toBe(1));
      expect(await backend.logged((line) => line.includes(BROKEN))).toContain('"level":"error"');

      expect(escaped.faults).toEqual([]);
      using events = backend.events();
      const { clients } = await events.snapshot();
      expect(clients.map(({ id }) => id)).toContain(clientIdSchema.parse(BYSTANDER));
      expect((await bystander.ask(REQUESTS.ping)).ok).toBe(true);
      await join("another");
    },
  );
});
