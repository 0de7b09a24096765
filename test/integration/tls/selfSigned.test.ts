import { once } from "node:events";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { peerPinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { tlsCommand } from "../../../backend/src/cli/tlsCommand.ts";
import { FROM_SOURCES, runCli, spawnAgent } from "../../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { tokenOf } from "../../support/agents/pastedLine.ts";
import { startHttpProxy } from "../../support/agents/proxies.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { runBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { startSelfSigned } from "../../support/tls/selfSignedBackend.ts";
import { testCertificate } from "../../support/tls/testCertificate.ts";

const PATIENT = { timeout: 90_000 };
const HOST = "machine-1";

async function shownAt(port: number): Promise<TlsPin | undefined> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const pin = peerPinOf(socket);
  socket.destroy();
  return pin;
}

beforeAll(async () => void (await builtAgent()), 300_000);

describe("PAIR-11: a backend that makes its own key", PATIENT, () => {
  it("prints its pin, keeps the key over restarts, and makes another one when it is told to", async () => {
    await using directory = await tempDirectory();
    const data = join(directory.path, "data");
    const keyFile = join(data, "tls", "server.key");
    const first = await spawnBackend(data, ["--tls", "self-signed"]);
    const { tlsPin, url } = first.endpoint;
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(first.stdout()).toContain(`TLS key      ${tlsPin}`);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    const key = await readFile(keyFile, "utf8");
    expect(first.stdout() + first.stderr()).not.toContain(key.split("\n")[1]);
    await first[Symbol.asyncDispose]();

    await rm(join(data, "tls", "server.crt"));
    await using second = await spawnBackend(data, ["--tls", "self-signed"]);
    expect(second.endpoint.tlsPin).toBe(tlsPin);
    expect((await tlsCommand(["pin"], () => data)).lines).toEqual([tlsPin]);
    await expect(tlsCommand(["new-key"], () => data)).rejects.toThrow("Add --yes");
    const { lines } = await tlsCommand(["new-key", "--yes"], () => data);
    expect(lines[0]).not.toBe(tlsPin);
    const port = Number(new URL(second.endpoint.url).port);
    await eventually(async () => expect(await shownAt(port)).toBe(lines[0]));
    await second[Symbol.asyncDispose]();

    await rm(keyFile);
    const refused = await runBackend(["--data-dir", data, "--port", "0", "--tls", "self-signed"]);
    expect(refused).toMatchObject({ code: 65 });
    expect(refused.stderr).toContain("server.key is missing: hosts and editors know this server");
  });

  it("offers lines that pin it where there is pinning, and none for Windows", async () => {
    await using backend = await startSelfSigned();
    await makeFleet({ call: (name, call) => backend.call(name, call) });
    const made = await backend.call("createPairing", { body: { credential_id: FLEET } });
    expect(made.tls_pin).toBe(backend.pin);
    const texts = made.commands.map(
      ({ platform, tool, text }) => [`${platform} ${tool}`, text] as const,
    );
    for (const [, text] of texts) expect(text).toContain(backend.pin);
    expect(Object.fromEntries(texts)["linux curl"]).toContain(
      `curl -fsSL -m 60 -k --pinnedpubkey '${backend.pin}'`,
    );
    expect(Object.fromEntries(texts)["linux wget"]).toContain(
      `--no-check-certificate --pinnedpubkey='${backend.pin}'`,
    );
    expect(made.commands.filter(({ platform }) => platform === "windows")).toEqual([]);
  });
});

describe.each([{ name: "from its sources", program: FROM_SOURCES }, ...BUILT_AGENTS])(
  "PAIR-11: an agent that pins its server's TLS key, $name",
  PATIENT,
  ({ program }) => {
    it("enrols and connects, also through a proxy, and writes the pin into its configuration", async () => {
      await using backend = await startSelfSigned();
      await makeFleet({ call: (name, call) => backend.call(name, call) });
      const { commands } = await backend.call("createPairing", { body: { credential_id: FLEET } });
      await using directory = await tempDirectory();
      const file = join(directory.path, "rport.conf");
      const args = [
        "enroll",
        "--server",
        backend.url,
        "--tls-pin",
        backend.pin,
        "--config",
        file,
        "--token-stdin",
      ];
      const enrolled = await runCli(args, tokenOf(commands[0]?.text ?? ""), program);
      expect(enrolled).toMatchObject({ code: 0, stderr: "" });
      const config = parseConfig(await readFile(file, "utf8"), file);
      expect(config.tlsPins).toEqual([backend.pin]);

      await using proxy = await startHttpProxy();
      for (const [id, way] of [
        ["direct", {}],
        ["proxied", { proxy: `http://127.0.0.1:${proxy.port}` }],
      ] as const) {
        const password = (await backend.call("addSecret", { params: { authId: FLEET }, body: {} }))
          .password;
        const settings = agentOf(backend, password, id);
        const client = { ...settings.client, ...way, tls_pin: backend.pin };
        await using agent = await spawnAgent({ ...settings, client }, program);
        await eventually(async () => {
          const host = await backend.call("getClient", { params: { clientId: id } });
          expect(host, agent.log()).toMatchObject({ connection_state: "connected" });
        }, 20_000);
      }
      expect(proxy.targets).toEqual([`127.0.0.1:${backend.port}`]);
    });

    it("tells a server with another key nothing, and says both pins", async () => {
      await using backend = await startSelfSigned();
      const password = await makeFleet({ call: (name, call) => backend.call(name, call) });
      const other = testCertificate().pin;
      const { commands, pairing } = await backend.call("createPairing", {
        body: { credential_id: FLEET },
      });
      await using directory = await tempDirectory();
      const file = join(directory.path, "rport.conf");
      const args = [
        "enroll",
        "--server",
        backend.url,
        "--tls-pin",
        other,
        "--config",
        file,
        "--token-stdin",
      ];
      const refused = await runCli(args, tokenOf(commands[0]?.text ?? ""), program);
      expect(refused.code).toBe(5);
      for (const pin of [backend.pin, other]) expect(refused.stderr).toContain(pin);
      const [listed] = await backend.call("listPairings");
      expect(listed).toMatchObject({ id: pairing.id, state: "active", claims: [] });

      const settings = agentOf(backend, password, HOST);
      const client = { ...settings.client, tls_pin: [other] };
      await using agent = await spawnAgent({ ...settings, client }, program);
      await eventually(() => expect(agent.log()).toContain(backend.pin), 20_000);
      expect(agent.log()).toContain(other);
      await eventually(() => expect(agent.log()).toContain("not connected"), 20_000);
      expect(await backend.call("listClients")).toEqual([]);
    });
  },
);
