import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AlonePairing } from "../../../backend/src/alone/pairing.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { installedAgent } from "../../support/agents/installedAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { SERVICE_KEY, startPairingService } from "../../support/pairing/pairingService.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

let service: AlonePairing & { readonly logLines: readonly string[] };
let temp: Awaited<ReturnType<typeof tempDirectory>>;
let backend: RunningBackend;

async function backendAt(url: string, key: string): Promise<RunningBackend> {
  const keyFile = join(temp.path, `key-${key.length}`);
  await writeFile(keyFile, `${key}\n`, { mode: 0o600 });
  const elsewhere = { url, service: "sealed", keyFile } as const;
  return startBackend({ pairing: { ttlS: 600, elsewhere }, agentFiles: await builtAgent() });
}

// a build takes longer than a hook may
beforeAll(async () => void (await builtAgent()), 300_000);
beforeAll(async () => {
  temp = await tempDirectory();
  service = await startPairingService();
  backend = await backendAt(service.url, SERVICE_KEY);
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const pair = async (
  body: { hostname?: string; service?: "embedded" } = {},
): Promise<NewPairing> => {
  const [credential] = await backend.api("listCredentials");
  return backend.api("createPairing", { body: { credential_id: credential?.id ?? "", ...body } });
};

const lineOf = (
  { pairing, token, server_url: url, script_sha256: sha256 }: NewPairing,
  prefix: string,
) =>
  linuxCommand({
    url,
    pairingUrl: pairing.service.url || undefined,
    id: pairing.id,
    sha256,
    token,
    tool: "curl",
    sudo: false,
    flags: ["--prefix", prefix, "--runtime", "node"],
  });

const stepsOf = async (id: string) => {
  const all = await backend.api("listPairings");
  return all.find((one) => one.id === id)?.steps ?? [];
};

describe("a pairing service apart from the server", () => {
  it("lets a host in by one pasted line, and tells the server of each step", async () => {
    await using host = await installedAgent();
    const pairing = await pair();
    expect(pairing.pairing.service).toEqual({ kind: "sealed", url: service.url });
    expect(pairing.commands[0]?.text).toContain(`--pairing '${service.url}'`);
    const { code, stdout } = await host.paste(lineOf(pairing, host.prefix));
    expect(stdout).toContain("The agent is installed and connected.");
    expect(code).toBe(0);
    const kinds = await eventually(async () => {
      const steps = await stepsOf(pairing.pairing.id);
      expect(steps.at(-1)?.kind).toBe("connected");
      return steps.map(({ kind }) => kind);
    });
    expect(new Set(kinds)).toEqual(
      new Set(["made", "script_fetched", "claimed", "installed", "connected"]),
    );
    const used = (await backend.api("listPairings")).find(({ id }) => id === pairing.pairing.id);
    expect(used?.state).toBe("used");
  });

  it("is told of a revocation, and hands out nothing from then on", async () => {
    await using host = await installedAgent();
    const pairing = await pair();
    await backend.api("revokePairing", { params: { pairingId: pairing.pairing.id } });
    await eventually(() => expect(service.desk.deposits.has(pairing.pairing.id)).toBe(false));
    const { code } = await host.paste(lineOf(pairing, host.prefix));
    expect(code).toBe(4);
  });

  it("refuses a host that is not the one the pairing is for, and the server shows which", async () => {
    await using host = await installedAgent();
    const pairing = await pair({ hostname: "another-host" });
    const { code, stderr } = await host.paste(lineOf(pairing, host.prefix));
    expect(code).toBe(9);
    expect(stderr).toContain("This pairing is for the host another-host");
    await eventually(async () => {
      expect((await stepsOf(pairing.pairing.id)).at(-1)).toMatchObject({
        kind: "refused",
        reason: "identifier_mismatch",
      });
    });
  });

  it("does not know a server whose key is not in its list; the server's own way is there", async () => {
    await using other = await backendAt(service.url, "some-other-key-0123456789abcdefghij-long");
    const [credential] = await other.api("listCredentials");
    const body = { credential_id: credential?.id ?? "" };
    await expect(other.api("createPairing", { body })).rejects.toMatchObject({
      code: "PAIRING_SERVICE",
      detail: "refused",
      message: expect.stringContaining("does not know this server's key"),
    });
    const own = await other.api("createPairing", { body: { ...body, service: "embedded" } });
    expect(own.pairing.service.kind).toBe("embedded");
  });

  it("that restarts knows nothing any more, and the next pairing works as before", async () => {
    await using first = await startPairingService();
    await using server = await backendAt(first.url, SERVICE_KEY);
    const [credential] = await server.api("listCredentials");
    const body = { credential_id: credential?.id ?? "" };
    await server.api("createPairing", { body });
    await first[Symbol.asyncDispose]();
    await expect(server.api("createPairing", { body })).rejects.toMatchObject({
      code: "PAIRING_SERVICE",
      detail: "unreachable",
    });
    const [{ id = "" } = {}] = await server.api("listCredentials");
    const secrets = await server.api("listSecrets", { params: { authId: id } });
    const paired = secrets.filter(({ origin }) => origin === "pairing");
    expect(paired.filter(({ state }) => state !== "revoked")).toHaveLength(1);
  });
});
