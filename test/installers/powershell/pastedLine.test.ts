import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { windowsCommand } from "@rport/protocol/pairing/windowsCommand";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import {
  type RunningBackend,
  type StartOptions,
  startBackend,
} from "../../support/backend/backend.ts";
import { newPairing } from "../../support/installer/pairing.ts";
import { SERVICE_KEY, startPairingService } from "../../support/pairing/pairingService.ts";
import { startRportPairing } from "../../support/pairing/rportPairing.ts";
import {
  ensurePowershell,
  quoted,
  runCommand,
  runScript,
  whyNoPowershell,
} from "../../support/powershell/engine.ts";
import { windowsLook } from "../../support/powershell/script.ts";
import { type WindowsRelease, windowsRelease } from "../../support/powershell/windowsRelease.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const SET_UP_MS = 300_000;

const reason = whyNoPowershell();

describe.skipIf(reason !== undefined)("the line to paste for Windows, in PowerShell", () => {
  let release: WindowsRelease;
  beforeAll(async () => {
    await ensurePowershell();
    release = await windowsRelease();
  }, SET_UP_MS);
  afterAll(() => release?.[Symbol.asyncDispose]());

  /** A backend, and a place to install to; what runs there is ended. */
  async function scene(pairing: StartOptions["pairing"] = { ttlS: 600 }) {
    const backend = await startBackend({ agentFiles: release.directory, pairing });
    const directory = await tempDirectory();
    const prefix = join(directory.path, "it's rport");
    const env = { ...windowsLook(directory.path), TMPDIR: directory.path };
    const script = (...args: readonly string[]) =>
      runScript(release.script, [...args, "-Prefix", prefix], { env });
    return {
      backend,
      directory: directory.path,
      prefix,
      script,
      paste: (line: string) => runCommand(`${line}; exit $LASTEXITCODE`, { env }),
      line: (created: NewPairing, more: Parameters<typeof windowsCommand>[0]["parameters"] = {}) =>
        windowsCommand({ ...partsOf(created), parameters: { Prefix: prefix, ...more } }),
      async [Symbol.asyncDispose]() {
        if (existsSync(prefix)) await script("-Uninstall");
        await backend[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  }

  test("S-08: is what the server offers, and stays out of the history on disk", async () => {
    await using it = await scene();
    const created = await newPairing(it.backend);
    const offered = created.commands.filter(({ platform }) => platform === "windows");
    const text = windowsCommand({ ...partsOf(created), parameters: {} });
    expect(offered).toEqual([{ platform: "windows", tool: "powershell", text }]);
    const ask = `Import-Module PSReadLine; [Microsoft.PowerShell.PSConsoleReadLine]::GetDefaultAddToHistoryOption(${quoted(text)})`;
    expect((await runCommand(ask)).stdout.trim()).toBe("MemoryOnly");
  });

  test("installs an agent that is connected, once, and the script removes it again", async () => {
    await using it = await scene();
    const name = `it's "web" $(1) 01`;
    const created = await newPairing(it.backend);
    const line = it.line(created, { Name: name, Tag: ["a b", "c"] });
    const pasted = await it.paste(line);
    expect(pasted).toMatchObject({ code: 0, stderr: "" });
    expect(pasted.stdout).toContain("The agent is installed and connected.");
    expect(pasted.stdout).not.toContain(created.token);
    expect(await names(it.backend)).toEqual([name]);
    expect(await it.script("-Status")).toMatchObject({ code: 0 });

    const before = await readFile(join(it.prefix, "rport.conf"), "utf8");
    const again = await it.paste(it.line(await newPairing(it.backend)));
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("already enrolled");
    expect(await readFile(join(it.prefix, "rport.conf"), "utf8")).toBe(before);

    expect(await it.script("-Uninstall", "-WhatIf")).toMatchObject({ code: 0 });
    expect(existsSync(it.prefix)).toBe(true);
    expect(await it.script("-Uninstall")).toMatchObject({ code: 0 });
    expect(await rport(it.directory)).toEqual([]);
  });

  test("claims at a pairing service apart from the server, where that is set", async () => {
    await using service = await startPairingService();
    await using temp = await tempDirectory();
    const keyFile = join(temp.path, "key");
    await writeFile(keyFile, SERVICE_KEY, { mode: 0o600 });
    const elsewhere = { url: service.url, service: "sealed", keyFile } as const;
    await using it = await scene({ ttlS: 600, elsewhere });
    const created = await newPairing(it.backend);
    const [offered] = created.commands.filter(({ platform }) => platform === "windows");
    expect(offered?.text).toContain(`-Pairing '${service.url}'`);
    const line = it.line(created, { Name: "web-02", NewId: true });
    expect(await it.paste(line)).toMatchObject({ code: 0, stderr: "" });
    expect(await names(it.backend)).toEqual(["web-02"]);
  });

  test("runs the script of RPort's own pairing service, and leaves nothing of it", async () => {
    await using service = await startRportPairing();
    const elsewhere = { url: service.url, service: "rport-pairing", keyFile: undefined } as const;
    await using it = await scene({ ttlS: 600, elsewhere });
    const created = await newPairing(it.backend);
    const [offered] = created.commands.filter(({ platform }) => platform === "windows");
    const file = join(it.directory, "written.conf");
    const pasted = await it.paste(`$env:RPORT_CONF=${quoted(file)}; ${offered?.text}`);
    expect(pasted).toMatchObject({ code: 3, stdout: expect.stringContaining("no rport yet") });
    const { servers, credential } = parseConfig(await readFile(file, "utf8"), file);
    expect(servers).toEqual([`${it.backend.url.replace("http", "ws")}/`]);
    expect(credential.authId).toBe(created.pairing.credential_id);
    expect(await readdir(it.directory)).toEqual(["written.conf"]);
  });

  test("with a token that was revoked ends with status 4, and leaves nothing", async () => {
    await using it = await scene();
    const created = await newPairing(it.backend);
    await it.backend.api("revokePairing", { params: { pairingId: created.pairing.id } });
    expect(await it.paste(it.line(created))).toMatchObject({ code: 4 });
    expect(await rport(it.directory)).toEqual([]);
    expect(existsSync(it.prefix)).toBe(false);
  });

  test("runs nothing when the script is another one, and says so", async () => {
    await using it = await scene();
    const created = await newPairing(it.backend);
    const parts = { ...partsOf(created), sha256: "0".repeat(64) };
    const line = windowsCommand({ ...parts, parameters: { Prefix: it.prefix } });
    const refused = await it.paste(line);
    expect(refused.stderr).toContain("This is not the installer of that server.");
    expect(existsSync(it.prefix)).toBe(false);
    expect(await rport(it.directory)).toEqual([]);
  });

  test("with an id that is none fetches a program that fails, and does not run it", async () => {
    await using it = await scene();
    const answer = await fetch(`${it.backend.url}/p/nonsense?os=windows`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toMatch(/exit 4/);
    const asked = { headers: { "User-Agent": "Mozilla/5.0 WindowsPowerShell/5.1" } };
    const { pairing } = await newPairing(it.backend);
    const script = await fetch(`${it.backend.url}/p/${pairing.id}`, asked);
    expect(await script.text()).toBe(await readFile(release.script, "utf8"));
  });

  test("with -WhatIf says every action, changes nothing, and spends no token", async () => {
    await using it = await scene();
    const told = await it.script("-Server", it.backend.url, "-WhatIf");
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toContain("would enrol this host");
    expect(existsSync(it.prefix)).toBe(false);
    expect(await rport(it.directory)).toEqual([]);
  });
});

function partsOf({ server_url: url, pairing: { id, service }, token, commands }: NewPairing) {
  const offered = commands.find(({ platform }) => platform === "windows")?.text ?? "";
  const [, sha256 = ""] = /'([0-9a-f]{64})'/.exec(offered) ?? [];
  return { url, pairingUrl: service.url || undefined, id, token, sha256 };
}

async function names(backend: RunningBackend): Promise<readonly unknown[]> {
  return (await backend.api("listClients")).map(({ name }) => name);
}

/** What is left of installations; PowerShell has files of its own there. */
async function rport(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => /rport|^[0-9a-f-]{36}$/.test(name));
}
