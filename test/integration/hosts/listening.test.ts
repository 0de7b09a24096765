import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import { type AgentSettings, startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { Members } from "../../support/backend/member.ts";
import { HOSTILE_TEXTS } from "../../support/hostileTexts.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = "web-01";
const params = { clientId: ID };
const here = platformOf(process.platform);

/** A backend, and the settings of a real agent for it. */
async function setUp() {
  const backend = await startBackend();
  const password = await makeFleet({ call: backend.api });
  const settings = (client: AgentSettings["client"] = {}): AgentSettings => {
    const { server, client: usual } = agentOf(backend, password, ID);
    return { server, client: { ...usual, ...client } };
  };
  return {
    backend,
    password,
    settings,
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

type Started = Awaited<ReturnType<typeof setUp>>;

const asked = (backend: RunningBackend) => backend.api("listListening", { params });

/** An agent in whose place a test answers. */
function peer(
  { backend, password }: Started,
  answer: unknown,
  feature: string = FEATURES.listeningPorts,
) {
  return PeerAgent.join({
    url: backend.url.replace("http", "ws"),
    user: FLEET,
    password,
    introduction: { ID, Features: [feature] },
    onRequest: (name) =>
      name === REQUESTS.listeningPorts ? Buffer.from(JSON.stringify(answer)) : undefined,
  });
}

describe("what listens on a host", () => {
  it.runIf(process.platform === "linux")(
    "is told by its agent, with port, reach and program",
    async () => {
      await using started = await setUp();
      await using listener = await tcpServer(() => {});
      await using agent = await startAgent(started.settings());
      await agent.online();
      const { ports } = await asked(started.backend);
      const { port } = listener;
      expect(ports).toContainEqual({ port, address: "127.0.0.1", process: "node" });
      const backendPort = { port: started.backend.port, address: "127.0.0.1", process: "node" };
      expect(ports).toContainEqual(backendPort);
    },
  );

  it.runIf(process.platform === "linux")(
    "is not told as far as the host's rules let no tunnel there",
    async () => {
      await using started = await setUp();
      await using one = await tcpServer(() => {});
      await using _other = await tcpServer(() => {});
      await using agent = await startAgent(started.settings({ tunnel_allowed: [`:${one.port}`] }));
      await agent.online();
      const { ports } = await asked(started.backend);
      expect(ports).toEqual([{ port: one.port, address: "127.0.0.1", process: "node" }]);
    },
  );

  it("is not told by a host whose configuration is against it", async () => {
    await using started = await setUp();
    await using agent = await startAgent(started.settings({ tell_listening_ports: false }));
    await agent.online();
    await expect(asked(started.backend)).rejects.toMatchObject({
      code: "AGENT_REFUSED",
      message: expect.stringContaining("tell_listening_ports"),
    });
  });

  it("is not known on a system that its agent does not know", async () => {
    await using started = await setUp();
    const { listeners: _unknown, ...platform } = here;
    await using agent = await startAgent(started.settings(), { platform });
    await agent.online();
    await expect(asked(started.backend)).rejects.toMatchObject({
      code: "AGENT_CANNOT",
      message: "The client cannot find out what listens on its system.",
    });
  });

  it("is not asked of an older agent, nor of one that is away", async () => {
    await using started = await setUp();
    const { backend } = started;
    await expect(asked(backend)).rejects.toMatchObject({ code: "CLIENT_OFFLINE" });
    await using agent = await peer(started, {}, FEATURES.longRequests);
    await expect(asked(backend)).rejects.toMatchObject({ code: "AGENT_CANNOT" });
    expect(agent.heardOf(REQUESTS.listeningPorts)).toEqual([]);
  });

  it("could not be found out: that is said, with the reason", async () => {
    await using started = await setUp();
    const listeners = () => Promise.reject(new Error("the table is gone"));
    await using agent = await startAgent(started.settings(), { platform: { ...here, listeners } });
    await agent.online();
    await expect(asked(started.backend)).rejects.toMatchObject({
      code: "AGENT_REFUSED",
      detail: expect.stringContaining("the table is gone"),
    });
  });
});

describe("what a host in wrong hands tells of itself", () => {
  const port = { port: 22, address: "0.0.0.0", process: "sshd" };

  it("is shown without what fools an eye, and bounded", async () => {
    await using started = await setUp();
    const ports = [...HOSTILE_TEXTS, "x".repeat(1_000)].map((process) => ({ ...port, process }));
    await using _agent = await peer(started, {
      told: true,
      ports,
      left_out: 3,
    });
    const answer = await asked(started.backend);
    expect(answer).toMatchObject({ left_out: 3 });
    expect(answer.ports).toHaveLength(ports.length);
    const names = answer.ports.map(({ process }) => process);
    expect(names.filter((name) => name.length > 64 || /[\p{Cc}\u202E\u00AD]/u.test(name))).toEqual(
      [],
    );
  });

  it.each([
    ["more than it may", { told: true, ports: Array(257).fill(port), left_out: 0 }],
    ["no address", { told: true, ports: [{ ...port, address: "evil.example" }], left_out: 0 }],
    ["no port", { told: true, ports: [{ ...port, port: 70_000 }], left_out: 0 }],
    [
      "an endless name",
      { told: true, ports: [{ ...port, process: "x".repeat(1_001) }], left_out: 0 },
    ],
    ["another shape", { ports: "all" }],
  ])("is refused when it is %s", async (_what, answer) => {
    await using started = await setUp();
    await using _agent = await peer(started, answer);
    await expect(asked(started.backend)).rejects.toMatchObject({
      code: "AGENT_REFUSED",
      message: "The client's answer cannot be read.",
    });
  });
});

it("only who may open tunnels to a host and sees it is told what listens there", async () => {
  await using started = await setUp();
  const { backend } = started;
  await using agent = await peer(started, { told: true, ports: [], left_out: 0 });
  const members = new Members(backend);
  await members.group("lookers");
  await members.group("operators", "tunnels");
  const looker = await members.add("anna", ["lookers"]);
  const operator = await members.add("ben", ["operators"]);
  const ask = (by: typeof looker) => by.api.raw("GET", `/clients/${ID}/listening`);
  expect(await ask(looker)).toMatchObject({ status: 403 });
  expect(await ask(operator)).toMatchObject({ status: 404 });
  const group = { id: "web", params: { client_id: [ID] }, allowed_user_groups: ["operators"] };
  const query = { params: { clientGroupId: "web" }, body: group as never };
  await backend.api("putClientGroup", query);
  expect(await ask(operator)).toMatchObject({ status: 200 });
  expect(agent.heardOf(REQUESTS.listeningPorts)).toHaveLength(1);
});

describe("a target that is tried before a tunnel leads there", () => {
  const tried = ({ backend }: Started, remote: string) =>
    backend.api("tryTarget", { params, body: { remote } });

  it("answers, or does not and the client's words say why", async () => {
    await using started = await setUp();
    await expect(tried(started, "1")).rejects.toMatchObject({ code: "CLIENT_OFFLINE" });
    await using target = await tcpServer((socket) => socket.end());
    await using agent = await startAgent(started.settings());
    await agent.online();
    await expect(tried(started, `localhost:${target.port}`)).resolves.toBeUndefined();
    await expect(tried(started, "1")).rejects.toMatchObject({
      code: "ERR_CODE_REMOTE_PORT_NOT_OPEN",
      detail: expect.stringContaining("ECONNREFUSED"),
    });
    await expect(tried(started, "no port")).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });

  it("is not tried against the host's own rules, nor by an agent that does not know how", async () => {
    await using started = await setUp();
    await using target = await tcpServer((socket) => socket.end());
    {
      await using agent = await startAgent(
        started.settings({ id: "other", tunnel_allowed: [":9"] }),
      );
      await agent.online();
      const call = { params: { clientId: "other" }, body: { remote: String(target.port) } };
      await expect(started.backend.api("tryTarget", call)).rejects.toMatchObject({
        code: "TARGET_NOT_ALLOWED",
      });
    }
    await using _old = await PeerAgent.join({
      url: started.backend.url.replace("http", "ws"),
      user: FLEET,
      password: started.password,
      introduction: { ID },
      onRequest: (name) => {
        if (name === REQUESTS.checkPort) throw new RequestRefused("unknown request");
        return undefined;
      },
    });
    await expect(tried(started, "22")).rejects.toMatchObject({ code: "AGENT_CANNOT" });
  });

  it("is in the audit log, and needs the right to open tunnels to that client", async () => {
    await using started = await setUp();
    const { backend } = started;
    await using _agent = await peer(started, {});
    await tried(started, "10.0.0.5:22");
    const rows = await backend.api("listAudit", { query: { "filter[client_id]": ID } });
    expect(rows.filter((row) => JSON.stringify(row).includes("10.0.0.5:22"))).toHaveLength(1);
    const members = new Members(backend);
    await members.group("lookers");
    const looker = await members.add("anna", ["lookers"]);
    const body = { remote: "22" };
    const asked = await looker.api.raw("POST", `/clients/${ID}/try`, { body });
    expect(asked).toMatchObject({ status: 403 });
  });
});
