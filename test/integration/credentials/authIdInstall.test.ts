import { linuxCommand } from "@rport/protocol/commands";
import { expect, it } from "vitest";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { installedAgent } from "../../support/agents/installedAgent.ts";
import { isLetIn } from "../../support/agents/peerAgent.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const BACK_MS = 20_000;

it.each([
  ["signs that shells act on", 'it\'s "x" `id` $(id) $HOME; #*?<>|&\\ %20 {a,b} ~ !!'],
  [
    "letters of all kinds, and as many as are allowed",
    `مرحبا 日本 é e\u0301 ${"😀".repeat(64 - 15)}`,
  ],
])(
  "C-30: an auth id of %s goes through the pasted line, the installer and rport.conf, and is deleted again",
  async (_, id) => {
    await builtAgent();
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path);
    const { api, endpoint } = backend;
    await api.call("createCredential", { body: { id } });
    const pairing = await api.call("createPairing", { body: { credential_id: id, name: "web 1" } });
    await using agent = await installedAgent();
    const { server_url: url, script_sha256: sha256, token } = pairing;
    const flags = ["--prefix", agent.prefix, "--no-service", "--runtime", "node"];
    const parts = { url, id: pairing.pairing.id, sha256, token, flags };
    const result = await agent.paste(linuxCommand({ ...parts, tool: "curl", sudo: false }));
    expect(result).toMatchObject({ code: 0 });
    const params = { authId: id };
    await eventually(async () => {
      const credential = await api.call("getCredential", { params });
      expect(credential).toMatchObject({ id, clients_connected: 1 });
    }, BACK_MS);
    // The agent writes its next secret behind the same auth id.
    const before = await agent.secret();
    await api.call("rotateCredential", { params, body: { grace_seconds: null } });
    await eventually(async () => expect(await agent.secret()).not.toBe(before), BACK_MS);
    const login = { url: endpoint.url, user: id, password: await agent.secret() };
    expect(await isLetIn(login)).toBe(true);
    await api.call("deleteCredential", { params, query: { force: "true" } });
    expect(await isLetIn(login)).toBe(false);
    expect(await agent.uninstall()).toMatchObject({ code: 0 });
  },
  120_000,
);
