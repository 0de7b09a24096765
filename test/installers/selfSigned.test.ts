import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { beforeAll, describe, expect, test } from "vitest";
import { builtAgent } from "../support/agents/builtAgent.ts";
import { type InstalledAgent, installedAgent } from "../support/agents/installedAgent.ts";
import { FLEET, makeFleet } from "../support/backend/fleet.ts";
import { eventually } from "../support/eventually.ts";
import { run } from "../support/systemd/process.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { type SelfSignedBackend, startSelfSigned } from "../support/tls/selfSignedBackend.ts";
import { testCertificate } from "../support/tls/testCertificate.ts";

const PATIENT = { timeout: 120_000 };

async function started(): Promise<SelfSignedBackend> {
  const backend = await startSelfSigned({ agentFiles: await builtAgent() });
  await makeFleet({ call: (name, call) => backend.call(name, call) });
  return backend;
}

interface Line {
  readonly made: NewPairing;
  readonly tool: "curl" | "wget";
  readonly tlsPin?: string;
  /** Where it installs to, without root. */
  readonly prefix: string;
}

/** The server's line, as the sheet makes it for a folder of one's own. */
function lineOf({ made, tool, tlsPin = made.tls_pin, prefix }: Line): string {
  const { server_url: url, script_sha256: sha256, token, pairing } = made;
  const flags = ["--prefix", prefix, "--no-service", "--yes"];
  return linuxCommand({ url, id: pairing.id, sha256, token, tlsPin, flags, tool, sudo: false });
}

function pair(backend: SelfSignedBackend): Promise<NewPairing> {
  return backend.call("createPairing", { body: { credential_id: FLEET } });
}

async function isConnected(backend: SelfSignedBackend, agent: InstalledAgent): Promise<void> {
  await eventually(async () => {
    const hosts = await backend.call("listClients", {
      query: { "fields[clients]": "id,connection_state" },
    });
    expect(hosts).toMatchObject([{ connection_state: "connected" }]);
  }, 20_000);
  expect(await readFile(agent.configFile, "utf8")).toContain(`tls_pin = [ "${backend.pin}" ]`);
}

/** A folder with every program of this machine but those, and some of its own. */
async function pathWith(
  folder: string,
  programs: Readonly<Record<string, string>>,
): Promise<string> {
  await mkdir(folder);
  const listed = await run("sh", ["-c", "ls /usr/bin /bin | sort -u"], {});
  for (const name of listed.stdout.split("\n")) {
    if (!/^[\w.+-]+$/.test(name) || ["curl", "wget"].includes(name)) continue;
    await symlink(join("/usr/bin", name), join(folder, name)).catch(() => undefined);
  }
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

beforeAll(async () => void (await builtAgent()), 300_000);

describe("PAIR-11: a line that pins its server's TLS key", PATIENT, () => {
  test.each(["curl", "wget"] as const)(
    "installs and connects with %s, from a server that nobody trusts",
    async (tool) => {
      await using backend = await started();
      await using agent = await installedAgent();
      const installed = await agent.paste(
        lineOf({ made: await pair(backend), tool, prefix: agent.prefix }),
      );
      expect(installed).toMatchObject({ code: 0 });
      await isConnected(backend, agent);
      // Once more: what is installed asks the server about what it fetched, and knows it by its pin.
      const again = lineOf({ made: await pair(backend), tool, prefix: agent.prefix });
      expect(await agent.paste(again)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("already"),
      });
      expect(await agent.uninstall()).toMatchObject({ code: 0 });
    },
  );

  test.each([
    ["curl", 90],
    ["wget", 5],
  ] as const)("%s fetches nothing from a server with another key", async (tool, status) => {
    await using backend = await started();
    await using agent = await installedAgent();
    const made = await pair(backend);
    const tlsPin = testCertificate().pin;
    const refused = await agent.paste(lineOf({ made, tool, tlsPin, prefix: agent.prefix }));
    expect(refused).toMatchObject({ code: status, stdout: "" });
    const [listed] = await backend.call("listPairings");
    expect(listed).toMatchObject({ state: "active", claims: [] });
    expect(listed?.steps.map(({ kind }) => kind)).toEqual(["made"]);
  });

  test("the installer refuses in a sentence where no program can pin, and where the pin is none", async () => {
    await using backend = await started();
    await using directory = await tempDirectory();
    const script = join(directory.path, "i.sh");
    await writeFile(script, await readFile(join(await builtAgent(), "rport-installer.sh")));
    const old = "#!/bin/sh\necho 'unrecognized option' >&2\nexit 2\n";
    const path = await pathWith(join(directory.path, "bin"), { curl: old, wget: old });
    const { pin, url } = backend;
    const args = ["--server", url, "--prefix", join(directory.path, "p"), "--token-stdin"];
    const options = { input: "A".repeat(26), env: { PATH: path, HOME: directory.path } };
    const none = await run("/bin/sh", [script, "--tls-pin", pin, ...args], options);
    expect(none).toMatchObject({ code: 3 });
    expect(none.stderr).toContain("There is neither curl 7.44 nor GNU wget 1.18, or newer.");
    const wrong = await run("/bin/sh", [script, "--tls-pin", "md5//x", ...args], options);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("--tls-pin is sha256//...");
  });
});
