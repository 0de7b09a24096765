import type { RemoteMessage } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { PASSWORD } from "../../support/wire/wirePair.ts";

const FLEET = "fleet";
const UDP = "UDP tunnels are not supported yet.";

async function start(): Promise<RunningBackend> {
  const from = 13_000 + (process.pid % 20) * 50;
  const ports = [{ from, to: from + 49 }];
  const backend = await startBackend({ tunnels: { bind: "127.0.0.1", ports } });
  await backend.api("createCredential", { body: { id: FLEET, password: PASSWORD } });
  return backend;
}

const remote = (change: Partial<RemoteMessage>) => ({
  protocol: "tcp",
  lhost: "0.0.0.0",
  lport: "",
  rhost: "127.0.0.1",
  ...change,
});

const recordOf = async ({ api }: RunningBackend, clientId: string) =>
  await api("getClient", { params: { clientId } });

describe("a host that asks for a tunnel that cannot be", () => {
  it("is in without it, and its record, the log and the audit log say why", async () => {
    await using backend = await start();
    const Remotes = [
      remote({ rport: "22" }),
      remote({ lport: "25303", rport: "19900", protocol: "udp" }),
      remote({ rport: "80", http_proxy: true, auth_user: "bob", auth_password: "a-password" }),
      remote({ rport: "81", host_header: "intranet" }),
      remote({ rport: "82", auth_user: "bob", auth_password: "a-password" }),
      { ...remote({ rport: "83" }), allow_from: ["192.0.2.1"] },
      { ...remote({ rport: "84" }), shown_in_red: false },
      remote({ rport: "http" }),
      remote({ rport: "85", scheme: "a-scheme-of-more-than-15" }),
      remote({ rport: "86", acl: "everybody" }),
      "22",
    ];
    const url = backend.url.replace("http", "ws");
    const login = { url, user: FLEET, password: PASSWORD };
    await using _agent = await PeerAgent.join({ ...login, introduction: { Remotes } });
    const { left_out: leftOut, tunnels } = await recordOf(backend, "machine-1");
    expect(tunnels.map(({ rport }) => rport)).toEqual(["22", "84"]);
    expect(leftOut).toEqual([
      { remote: "0.0.0.0:25303:127.0.0.1:19900/udp", reason: UDP },
      { remote: "127.0.0.1:80", reason: "This server puts no proxy in front of tunnels." },
      { remote: "127.0.0.1:81", reason: "This server replaces no Host header." },
      { remote: "127.0.0.1:82", reason: "This server puts no login in front of tunnels." },
      {
        remote: "127.0.0.1:83",
        reason: "It comes with allow_from, which this server does not know.",
      },
      { remote: "127.0.0.1:http", reason: expect.stringContaining("not valid") },
      { remote: "127.0.0.1:85", reason: "It is not well-formed: scheme." },
      { remote: "127.0.0.1:86", reason: expect.stringContaining("everybody") },
      { remote: "", reason: "It is not well-formed: no tunnel at all." },
    ]);
    const line = await backend.logged((one) => one.includes("without some of its tunnels"));
    expect(line).toContain(UDP);
    const [entry] = await backend.api("listAudit", {
      query: { "filter[application]": "client.tunnel", "filter[action]": "failed" },
    });
    expect(entry).toMatchObject({ client_id: "machine-1" });
    expect(entry?.request).toContain(UDP);
    expect(JSON.stringify([leftOut, line, entry])).not.toContain("a-password");
  });

  it("is our own agent as well; the record is right again when the tunnel is gone", async () => {
    await using backend = await start();
    // Of one host: with the same key.
    await using directory = await tempDirectory();
    const settings = {
      fingerprint: backend.fingerprint,
      auth: `${FLEET}:${PASSWORD}`,
      data_dir: directory.path,
    };
    const client = { ...settings, remotes: ["25304:127.0.0.1:19900/udp", "22"] };
    {
      await using agent = await startAgent({ server: backend.url, client });
      await agent.online();
      const { left_out: leftOut, tunnels } = await recordOf(backend, "test-agent");
      expect(tunnels).toMatchObject([{ rport: "22" }]);
      expect(leftOut).toEqual([{ remote: "0.0.0.0:25304:127.0.0.1:19900/udp", reason: UDP }]);
      const away = agent.lines.find((one) => one.includes("the server left out"));
      expect(away).toContain("25304:127.0.0.1:19900/udp");
    }
    await using again = await startAgent({
      server: backend.url,
      client: { ...client, remotes: ["22"] },
    });
    await again.online();
    expect((await recordOf(backend, "test-agent")).left_out).toEqual([]);
  });

  it("is listed with it by fields[clients]", async () => {
    await using backend = await start();
    const url = backend.url.replace("http", "ws");
    const introduction = { Remotes: [remote({ rport: "22", protocol: "tcp+udp" })] };
    const login = { url, user: FLEET, password: PASSWORD, introduction };
    await using _agent = await PeerAgent.join(login);
    const query = { "fields[clients]": "id,left_out" };
    expect(await backend.api("listClients", { query })).toEqual([
      { id: "machine-1", left_out: [{ remote: "127.0.0.1:22/tcp+udp", reason: UDP }] },
    ]);
  });
});
