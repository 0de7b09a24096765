import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { type Member, Members } from "../../support/backend/member.ts";

const params = { clientId: "machine-1" };
const CLIENT = "/clients/machine-1";
/** Questions to which a host may take its time. */
const SLOW: readonly string[] = [REQUESTS.checkTunnelAllowed, REQUESTS.listeningPorts];

const ALLOWED = '{"IsAllowed":true}';
const FORBIDDEN = '{"IsAllowed":false}';
const FAILS = "fails";
const LISTENING = JSON.stringify({
  told: true,
  ports: [{ address: "127.0.0.1", port: 22, process: "secret-program" }],
  left_out: 0,
});

/** A host whose agent gives this answer to slow questions, once it `thinks` only when the test says so. */
async function slowHost(backend: RunningBackend, reply: string) {
  const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let isThinking = false;
  const agent = await PeerAgent.join({
    url: backend.url.replace("http", "ws"),
    user: "hosts",
    password,
    introduction: { Features: [FEATURES.listeningPorts] },
    async onRequest(name) {
      if (!SLOW.includes(name)) return undefined;
      if (isThinking) {
        asked.resolve();
        await answer.promise;
      }
      if (reply === FAILS) throw new RequestRefused("secret of the host");
      return Buffer.from(reply);
    },
  });
  await backend.api("setClientAcl", { params, body: { allowed_user_groups: [] } });
  const think = (): void => {
    isThinking = true;
  };
  return { agent, think, asked: asked.promise, answer: answer.resolve };
}

/** A backend, a host that thinks, and Anna, who may open tunnels to it. */
async function setUp(reply: string) {
  const backend = await startBackend();
  const host = await slowHost(backend, reply);
  const members = new Members(backend);
  await members.group("tunnellers", "tunnels");
  await members.group("others", "auditlog");
  const anna = await members.add("anna", ["tunnellers"]);
  const show = (...names: string[]) =>
    backend.api("setClientAcl", { params, body: { allowed_user_groups: names as never } });
  await show("tunnellers", "others");
  return {
    backend,
    host,
    anna,
    show,
    async [Symbol.asyncDispose]() {
      await host.agent[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

type Tried = Awaited<ReturnType<typeof setUp>>;
type Ask = (anna: Member) => ReturnType<Member["api"]["raw"]>;

/** What somebody is told who asks, and loses something before the host answers; and if it is asked on. */
async function askedAndLost({ host, anna }: Tried, ask: Ask, lose: () => Promise<unknown>) {
  const checked = () => host.agent.heardOf(REQUESTS.checkPort).length;
  host.think();
  const before = checked();
  const answered = ask(anna);
  await host.asked;
  await lose();
  host.answer();
  const { status, body } = await answered;
  return { status, told: JSON.stringify(body), isAskedOn: checked() > before };
}

const user = { params: { userName: "anna" } };
const LOSSES: [string, number, (tried: Tried) => Promise<unknown>][] = [
  ["the user is disabled", 401, ({ backend }) => backend.api("disableUser", user)],
  ["the user is deleted", 401, ({ backend }) => backend.api("deleteUser", user)],
  ["the user is in no group any more", 403, ({ anna }) => anna.join("others")],
  ["the client is not the user's to see any more", 404, ({ show }) => show("others")],
];

const query = { remote: "9" };
const tunnel: Ask = ({ api }) => api.raw("PUT", `${CLIENT}/tunnels`, { query });
const unchecked = { ...query, check_port: "0" };
const plainTunnel: Ask = ({ api }) => api.raw("PUT", `${CLIENT}/tunnels`, { query: unchecked });
const aTry: Ask = ({ api }) => api.raw("POST", `${CLIENT}/try`, { body: { remote: "9" } });
const listening: Ask = ({ api }) => api.raw("GET", `${CLIENT}/listening`);

describe.each<[string, Ask]>([
  ["a tunnel", plainTunnel],
  ["a tunnel whose target is tried first", tunnel],
  ["the trying of a target", aTry],
])("%s that is asked for", (_what, ask) => {
  it.each(LOSSES)(
    "comes to nothing when, before the agent has answered, %s",
    async (_loss, status, lose) => {
      await using tried = await setUp(ALLOWED);
      const outcome = await askedAndLost(tried, ask, () => lose(tried));
      expect(outcome).toMatchObject({ status, isAskedOn: false });
      expect(await tried.backend.api("listTunnels")).toEqual([]);
    },
  );
});

describe("what a host says, or that it fails", () => {
  it.each<[string, Ask, string]>([
    ["that it forbids a tunnel", tunnel, FORBIDDEN],
    ["why it cannot say if a tunnel is allowed", tunnel, FAILS],
    ["that it forbids a target", aTry, FORBIDDEN],
    ["why it cannot say if a target is allowed", aTry, FAILS],
    ["what listens on it", listening, LISTENING],
    ["why it cannot say what listens on it", listening, FAILS],
  ])("is not told to somebody who is gone: %s", async (_what, ask, reply) => {
    await using tried = await setUp(reply);
    const lose = () => tried.backend.api("deleteUser", user);
    const { status, told } = await askedAndLost(tried, ask, lose);
    expect(status).toBe(401);
    expect(told).not.toContain("secret");
  });

  it("nor is it told to them that there is such a tunnel", async () => {
    await using tried = await setUp(ALLOWED);
    expect(await plainTunnel(tried.anna)).toMatchObject({ status: 200 });
    const lose = () => tried.backend.api("deleteUser", user);
    expect(await askedAndLost(tried, plainTunnel, lose)).toMatchObject({ status: 401 });
  });
});
