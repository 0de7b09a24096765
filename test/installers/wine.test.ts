import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { newPairing } from "../support/installer/pairing.ts";
import { realExecutable } from "../support/installer/realRelease.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { Wine, whyNoWine } from "../support/wine/wine.ts";

const SET_UP_MS = 300_000;
const PROGRAM = "C:\\Program Files\\rport-agent\\rport-agent.exe";
const CONFIG = "C:\\ProgramData\\rport\\rport.conf";
const LOG = "C:\\ProgramData\\rport\\rport-agent.log";
const SERVICE = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\rport";

const reason = whyNoWine();

describe.skipIf(reason !== undefined)("the agent's executable for Windows, under Wine", () => {
  let wine: Wine;
  beforeAll(async () => {
    await using scratch = await tempDirectory();
    wine = await Wine.start();
    const releases = { agent: "", newer: 'process.env.RPORT_RELEASE = "newer";' };
    for (const [name, prelude] of Object.entries(releases)) {
      const file = await realExecutable(scratch.path, "windows-x64", prelude);
      await wine.put(file, `C:\\${name}.exe`);
    }
  }, SET_UP_MS);
  afterAll(() => wine?.[Symbol.asyncDispose]());

  async function scene() {
    const backend = await startBackend();
    const agent = (args: readonly string[], input = "") => wine.run("C:\\agent.exe", args, input);
    const install = async (more: readonly string[] = []) => {
      const { token } = await newPairing(backend);
      const args = ["install", `--server=${backend.url}`, "--token-stdin", ...more];
      return agent(args, `\ufeff${token}\r\n`);
    };
    return {
      backend,
      agent,
      install,
      async [Symbol.asyncDispose]() {
        await agent(["uninstall"]);
        await backend[Symbol.asyncDispose]();
      },
    };
  }

  test("installs itself as a service that connects, stops and starts, and is removed", async () => {
    await using it = await scene();
    const { backend } = it;
    const installed = await it.install(["--name=web 01", "--tag=prod"]);
    expect(installed).toMatchObject({ code: 0, stderr: "" });
    expect(installed.stdout).toContain("The agent is installed and connected.");
    expect(installed.stdout).toContain("install.ps1 -Uninstall");
    expect(await wine.serviceState("rport")).toBe("RUNNING");
    expect(await hosts(backend)).toEqual([{ name: "web 01", state: "connected" }]);

    const { stdout: registry } = await wine.run("reg", ["query", SERVICE]);
    expect(registry).toContain(`"${PROGRAM}" run -c "${CONFIG}" --service`);
    expect(registry).toContain("NT SERVICE\\rport");
    expect(await it.agent(["status"])).toMatchObject({ code: 0 });

    expect((await wine.run("sc", ["stop", "rport"])).code).toBe(0);
    await expect.poll(() => wine.serviceState("rport")).toBe("STOPPED");
    await expect.poll(() => hosts(backend)).toEqual([{ name: "web 01", state: "disconnected" }]);
    const log = await wine.read(LOG);
    expect(log).toContain('"signal":"service stop"');

    expect((await wine.run("sc", ["start", "rport"])).code).toBe(0);
    await expect.poll(() => hosts(backend)).toEqual([{ name: "web 01", state: "connected" }]);

    expect(await it.agent(["uninstall"])).toMatchObject({ code: 0, stderr: "" });
    expect(await wine.serviceState("rport")).toBe("");
    for (const path of [PROGRAM, CONFIG, LOG, "C:\\ProgramData\\rport"]) {
      expect.soft(wine.has(path), path).toBe(false);
    }
  });

  test("the same again changes nothing, and a program of before is replaced while it runs", async () => {
    await using it = await scene();
    const { backend } = it;
    expect(await it.install()).toMatchObject({ code: 0, stderr: "" });
    const again = await it.install();
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("already enrolled");

    const update = ["install", `--server=${backend.url}`];
    const updated = await wine.run("C:\\newer.exe", update);
    expect(updated).toMatchObject({ code: 0, stderr: "" });
    expect(updated.stdout).not.toContain("enrolled as");
    expect(await wine.serviceState("rport")).toBe("RUNNING");
    expect(await hosts(backend)).toMatchObject([{ state: "connected" }]);

    const own = await wine.run(PROGRAM, ["uninstall"]);
    expect(own).toMatchObject({ code: 2 });
    expect(own.stderr).toContain("Windows removes no program that runs");
  });

  test("a token that was revoked ends with status 4, and leaves nothing", async () => {
    await using it = await scene();
    const { backend } = it;
    const { token, pairing } = await newPairing(backend);
    await backend.api("revokePairing", { params: { pairingId: pairing.id } });
    const args = ["install", `--server=${backend.url}`, "--token-stdin"];
    const refused = await it.agent(args, token);
    expect(refused.code).toBe(4);
    expect(wine.has(PROGRAM)).toBe(false);
    expect(await wine.serviceState("rport")).toBe("");
  });

  test("--service is refused where no service manager starts it", async () => {
    await using it = await scene();
    const alone = await it.agent(["run", "-c", CONFIG, "--service"]);
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain("The service manager of Windows did not start this process");
  });
});

async function hosts(backend: RunningBackend) {
  const clients = await backend.api("listClients");
  const views = clients.map(({ id }) =>
    backend.api("getClient", { params: { clientId: String(id) } }),
  );
  return (await Promise.all(views)).map(({ name, connection_state: state }) => ({ name, state }));
}
