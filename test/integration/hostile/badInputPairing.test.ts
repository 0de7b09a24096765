import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { newPairingToken } from "@rport/protocol/sealing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../../support/agents/agent.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { installedAgent } from "../../support/agents/installedAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { filesBelow } from "../../support/backend/snapshot.ts";
import { FakeClock } from "../../support/clock.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const clock = new FakeClock();
let backend: RunningBackend;

// a build takes longer than a hook may
beforeAll(async () => void (await builtAgent()), 300_000);
beforeAll(async () => {
  backend = await startBackend({ clock, agentFiles: await builtAgent() });
});
afterAll(() => backend[Symbol.asyncDispose]());

async function pair(): Promise<NewPairing> {
  const [credential] = await backend.api("listCredentials");
  return backend.api("createPairing", { body: { credential_id: credential?.id ?? "" } });
}

/** What spoils a pairing whose installer was fetched already; answers with the token to try. */
const SPOIL: Readonly<Record<string, (pairing: NewPairing) => Promise<string>>> = {
  unknown: async () => newPairingToken(),
  expired: async ({ token }) => {
    clock.advance(600_000);
    return token;
  },
  used: async ({ token }) => {
    await using temp = await tempDirectory();
    const args = ["--server", backend.url, "--config", join(temp.path, "rport.conf")];
    const { code } = await runCli(["enroll", ...args, "--new-id", "--token-stdin"], token);
    expect(code).toBe(0);
    return token;
  },
  revoked: async ({ token, pairing }) => {
    await backend.api("revokePairing", { params: { pairingId: pairing.id } });
    return token;
  },
};

it.each(Object.keys(SPOIL))(
  "a pairing token that is %s ends the real installer with 4 and a sentence, and leaves nothing",
  async (kind) => {
    await using host = await installedAgent();
    await using temp = await tempDirectory();
    const pairing = await pair();
    const script = join(temp.path, "installer.sh");
    await writeFile(script, (await backend.page(`/p/${pairing.pairing.id}`)).bytes);
    const token = await SPOIL[kind]?.(pairing);
    const args = ["--server", backend.url, "--token-stdin", "--prefix", host.prefix];
    const line = ["sh", script, ...args, "--runtime", "node"].join(" ");
    const result = await host.paste(`echo ${token} | ${line}`);

    expect(result.code).toBe(4);
    expect(result.stderr).toContain("This pairing token is unknown, expired or already used.");
    expect(result.stdout + result.stderr).not.toContain(token);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(await filesBelow(host.prefix)).toEqual([]);
    expect(await readdir(host.temporary)).toEqual([]);
    expect(await backend.api("listClients")).toEqual([]);
  },
);

it("S-06: a line that is pasted too late ends with 4 and the same sentence, and leaves nothing", async () => {
  await using host = await installedAgent();
  const { pairing, token, server_url: url, script_sha256: sha256 } = await pair();
  clock.advance(600_000);
  const parts = { url, id: pairing.id, sha256, token, sudo: false };
  const flags = ["--prefix", host.prefix, "--runtime", "node"];
  const result = await host.paste(linuxCommand({ ...parts, tool: "curl", flags }));
  expect(result.code).toBe(4);
  expect(result.stderr).toContain("This pairing token is unknown, expired or already used.");
  expect(await readdir(host.prefix)).toEqual([]);
  expect(await readdir(host.temporary)).toEqual([]);
});
