import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { windowsCommand } from "@rport/protocol/pairing/windowsCommand";
import { beforeAll, describe, expect, test } from "vitest";
import { ensurePowershell, runCommand, whyNoPowershell } from "../../support/powershell/engine.ts";
import { windowsLook } from "../../support/powershell/script.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const SET_UP_MS = 300_000;
const SCRIPT_MAX_BYTES = 65_536;
const REFUSED = "This is not the installer of that server.";
const reason = whyNoPowershell();

describe.skipIf(reason !== undefined)("what the line for Windows fetches, in PowerShell", () => {
  beforeAll(ensurePowershell, SET_UP_MS);

  /** Pastes a line that wants `script` where `answer` answers. */
  async function pasted(script: string, answer: RequestListener, changed = (line: string) => line) {
    await using server = createServer(answer);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await using directory = await tempDirectory();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sha256 = createHash("sha256").update(script).digest("hex");
    const parts = { url, id: "0123456789ABCDEF", sha256, token: "0123456789ABCDEFGHJKMNPQRS" };
    const line = changed(windowsCommand({ ...parts, parameters: { Yes: true } }));
    const env = { ...windowsLook(directory.path), TMPDIR: directory.path };
    const ended = await runCommand(`${line}; exit $LASTEXITCODE`, { env });
    server.closeAllConnections();
    const left = (await readdir(directory.path)).filter((name) => /^[0-9a-f-]{36}$/.test(name));
    expect(left).toEqual([]);
    return ended;
  }

  /** A script of that length in bytes that does what it is told. */
  const scriptOf = (bytes: number, does: string) => {
    const rest = `\nparam($Server, $Token, [switch]$Yes)\n${does}\n`;
    return `${"#".repeat(bytes - rest.length)}${rest}`;
  };

  test("may be as long as a script can be, and is run with its status", async () => {
    const script = scriptOf(SCRIPT_MAX_BYTES, 'Write-Output "$Token $Yes"; exit 7');
    const ended = await pasted(script, (_request, response) => response.end(script));
    expect(ended).toMatchObject({ code: 7, stdout: "0123456789ABCDEFGHJKMNPQRS True\n" });
  });

  test("is not run when it is a byte longer", async () => {
    const script = scriptOf(SCRIPT_MAX_BYTES + 1, "Write-Output ran");
    const ended = await pasted(script, (_request, response) => response.end(script));
    expect(ended.stderr).toContain(REFUSED);
    expect(ended.stdout).toBe("");
  });

  test("fills no disk, and keeps nobody waiting, however much comes", async () => {
    const ended = await pasted("", (_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(SCRIPT_MAX_BYTES, "#")));
      };
      response.on("drain", more);
      more();
    });
    expect(ended.stderr).toContain(REFUSED);
  });

  test("is waited for only so long, where nothing comes any more", async () => {
    const ended = await pasted(
      "",
      (_request, response) => response.write("#"),
      (line) => line.replace("WaitOne(60000)", "WaitOne(1000)"),
    );
    expect(ended.stderr).toContain(REFUSED);
  });

  test("is changed by nobody from its check to its end", async () => {
    const write =
      "try { [IO.File]::OpenWrite($PSCommandPath).Close(); 'written' } catch { 'kept' }";
    const script = scriptOf(1_000, write);
    const ended = await pasted(script, (_request, response) => response.end(script));
    expect(ended).toMatchObject({ stdout: "kept\n", stderr: "" });
  });
});
