import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { installedAgent } from "../../support/agents/installedAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { type RportPairing, startRportPairing } from "../../support/pairing/rportPairing.ts";

let service: RportPairing;
let backend: RunningBackend;

beforeAll(async () => {
  service = await startRportPairing();
  const elsewhere = { url: service.url, service: "rport-pairing", keyFile: undefined } as const;
  backend = await startBackend({ pairing: { ttlS: 600, elsewhere } });
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});
beforeEach(() => {
  service.change = (script) => script;
});

const pair = async (
  body: { uses?: number; hostname?: string; tags?: string[]; name?: string } = {},
) => {
  const [credential] = await backend.api("listCredentials");
  return backend.api("createPairing", { body: { credential_id: credential?.id ?? "", ...body } });
};

/** The secrets that still open something. */
async function usable(): Promise<readonly string[]> {
  const [credential] = await backend.api("listCredentials");
  const secrets = await backend.api("listSecrets", { params: { authId: credential?.id ?? "" } });
  return secrets.filter(({ state }) => state === "active").map(({ id }) => id);
}

describe("RPort's own pairing service", () => {
  it("gets four values, gives a code, and the line is made by this server and checks the script", async () => {
    const { pairing, token, commands, script_url: url } = await pair();
    const [code = ""] = [...service.deposits.keys()];
    expect(service.deposits.get(code)).toEqual({
      connect_url: backend.url,
      fingerprint: backend.md5Fingerprint,
      client_id: pairing.credential_id,
      password: expect.stringMatching(/^[A-Za-z0-9_-]{32,128}$/),
    });
    expect(token).toBe("");
    expect(url).toBe(`${service.url}/${code}`);
    const lifeMs = Date.parse(pairing.expires_at) - Date.parse(pairing.created_at);
    expect(lifeMs).toBeGreaterThan(290_000);
    expect(lifeMs).toBeLessThanOrEqual(300_500);
    const tools = commands.map(({ platform, tool }) => `${platform} ${tool}`);
    expect(tools).toEqual(["linux curl", "linux wget", "windows powershell"]);
    for (const { platform, text } of commands) {
      expect(text).toContain(`${service.url}/${code}`);
      expect(text).toContain(
        platform === "windows" ? "(Get-FileHash -InputStream $s)" : "| sha256sum)",
      );
      expect(text).not.toContain("evil");
      expect(text).not.toContain(" > ");
    }
  });

  it("connects a host with what its script writes, and the pairing is used by it", async () => {
    await using host = await installedAgent();
    const { commands, pairing } = await pair();
    const file = join(host.prefix, "rport.conf");
    const line = (commands[0]?.text ?? "").replace("sudo sh", "sh");
    const { code, stderr } = await host.paste(`export RPORT_CONF='${file}'\n${line}`);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { credential } = parseConfig(await readFile(file, "utf8"), file);
    await using agent = await startAgent({
      server: backend.url,
      client: {
        auth: `${credential.authId}:${credential.secret}`,
        fingerprint: backend.md5Fingerprint,
      },
    });
    await agent.online();
    await eventually(async () => {
      const all = await backend.api("listPairings");
      const used = all.find(({ id }) => id === pairing.id);
      expect(used?.state).toBe("used");
      expect(used?.steps.map(({ kind }) => kind)).toEqual(["made", "claimed", "connected"]);
    });
  });

  it.each([
    ["not-json", { status: 200, body: "<html><body>Please sign in</body></html>" }],
    ["empty", { status: 200, body: "" }],
    ["not-json", { status: 200, body: '{"hello": "world"}' }],
    ["bad-code", answerOf({ pairing_code: "x y'$(id)" })],
    ["past-expiry", answerOf({ expires: "2020-01-01T00:00:00Z" })],
    ["past-expiry", answerOf({ expires: "2999-01-01T00:00:00Z" })],
    ["past-expiry", answerOf({ expires: "soon" })],
    ["refused", { status: 400, body: "input validation failed: \n'client_id'\u001b[31m" }],
    ["refused", { status: 302, body: "" }],
    ["tampered", answerOf({})],
    ["timeout", "hang"],
  ] as const)(
    "that does wrong is told apart as %s, and nothing of it is left",
    async (word, answer) => {
      service.plan.push(answer);
      const before = await usable();
      const error = await pair().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "PAIRING_SERVICE", detail: word });
      expect(String(error)).toMatch(/The pairing service 127\.0\.0\.1:\d+ /);
      expect(String(error)).not.toContain("\u001b");
      expect(await usable()).toEqual(before);
    },
  );

  it("whose script has other values than were deposited is not offered", async () => {
    service.change = (script) => script.replace(/PASSWORD=".*"/, 'PASSWORD="another"');
    await expect(pair()).rejects.toMatchObject({ detail: "tampered" });
  });

  it("may give a credential a name that its script is full of", async () => {
    await backend.api("createCredential", { body: { id: "rport" } });
    const made = await backend.api("createPairing", { body: { credential_id: "rport" } });
    expect(made.commands.map(({ platform }) => platform)).toContain("windows");
  });

  it("that knows no Windows gets no line for it, and one with a script of others' there is not offered", async () => {
    service.change = (script) =>
      script.startsWith("#!") ? script : script.replace(/^[\s\S]*?(?=\$fing)/, "#!/bin/sh\n");
    const { commands } = await pair();
    expect(new Set(commands.map(({ platform }) => platform))).toEqual(new Set(["linux"]));
    service.change = (script) => script.replace(/\$password = ".*"/, '$password = "another"');
    await expect(pair()).rejects.toMatchObject({ detail: "tampered" });
  });

  it.each([
    ["more hosts than one", { uses: 2 }],
    ["one host only", { hostname: "web01" }],
    ["a host with tags", { tags: ["a"] }],
    ["a host with a display name", { name: "Web" }],
  ] as const)("cannot make a pairing for %s, and says so", async (what, body) => {
    await expect(
      pair({ ...body, tags: "tags" in body ? [...body.tags] : [] }),
    ).rejects.toMatchObject({
      code: "PAIRING_UNFIT",
      message: expect.stringContaining(what),
    });
  });
});

function answerOf(changes: Readonly<Record<string, string>>) {
  const expires = new Date(Date.now() + 300_000).toISOString();
  const body = { pairing_code: "nosuch1", expires, installers: {}, ...changes };
  return { status: 200, body: JSON.stringify(body) };
}
