import { existsSync } from "node:fs";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { INSTALLER_NAMES } from "@rport/protocol/commands";
import { beforeAll, describe, expect, test } from "vitest";
import { TOKEN } from "../../support/installer/runInstaller.ts";
import {
  askedInstalled,
  installedStub,
  stubAgent,
  stubRelease,
} from "../../support/installer/stubRelease.ts";
import {
  ensurePowershell,
  quoted,
  runCommand,
  runScript,
  whyNoPowershell,
} from "../../support/powershell/engine.ts";
import {
  PARTS,
  partText,
  runStub,
  stubScript,
  windowsLook,
} from "../../support/powershell/script.ts";
import { syntaxErrors } from "../../support/powershell/syntax.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const INSTALL_MS = 300_000;
/** Parameters that PowerShell adds by itself. */
const COMMON = 2;

const reason = whyNoPowershell();
const whole = async () => {
  await using release = await stubRelease();
  return await readFile(await stubScript(release), "utf8");
};

describe("the text of install.ps1", () => {
  test.for(PARTS)("%s is what Windows PowerShell 5.1 understands", async (part) => {
    const text = await partText(part);
    expect(await syntaxErrors(text)).toEqual([]);
    expect(text).toMatch(/^[\n\x20-\x7e]*\n$/);
  });

  test("is understood as a whole", async () => {
    expect(await syntaxErrors(await whole())).toEqual([]);
  });

  test("would not be, with what only PowerShell 7 knows", async () => {
    const text = await whole();
    for (const newer of ["$a = $b ?? 1", "$a = $b ? 1 : 2", "one && two", "$a?.Length"]) {
      expect.soft(await syntaxErrors(`${text}\n${newer}\n`), newer).not.toEqual([]);
    }
  });

  test("asks nobody else, runs no text, and uses no short names", async () => {
    const text = (await Promise.all(PARTS.map(partText))).join("\n");
    expect(text).not.toMatch(/Invoke-Expression|\biex\b|\birm\b|\biwr\b|Invoke-RestMethod/i);
    expect(text.replace(/<#[\s\S]*?#>/, "")).not.toMatch(/https?:\/\/[a-z]/i);
    expect(text).not.toMatch(/\|\s*[%?]\s*\{/);
  });
});

describe.skipIf(reason !== undefined)("install.ps1 in PowerShell", () => {
  beforeAll(ensurePowershell, INSTALL_MS);

  test("is parsed, as a whole and in its parts", async () => {
    await using release = await stubRelease();
    const files = [await stubScript(release), ...PARTS.map((part) => join(process.cwd(), part))];
    const parse = files.map(
      (file) =>
        `$errors = $null; [void] [System.Management.Automation.Language.Parser]::ParseFile(${quoted(file)}, [ref] $null, [ref] $errors); $errors`,
    );
    expect(await runCommand(parse.join("; "))).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("Get-Help -Full has a text for every parameter, and examples", async () => {
    await using release = await stubRelease();
    const script = await stubScript(release);
    const { stdout } = await runCommand(`
      $help = Get-Help ${quoted(script)} -Full
      @{
        synopsis = $help.Synopsis
        parameters = @($help.parameters.parameter | ForEach-Object {
          @{ name = $_.name; text = ($_.description | ForEach-Object { $_.Text }) -join ' ' }
        })
        known = @((Get-Command ${quoted(script)}).ParameterSets[0].Parameters | ForEach-Object { $_.Name })
        examples = @($help.examples.example | ForEach-Object { $_.code })
        notes = ($help.alertSet.alert | ForEach-Object { $_.Text }) -join ' '
      } | ConvertTo-Json -Depth 4`);
    const help = JSON.parse(stdout);
    expect(help.synopsis).toContain("Installs the RPort agent");
    const texts = new Map<string, string>(
      help.parameters.map(({ name, text }: { name: string; text: string }) => [name, text]),
    );
    const common = ["Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction"];
    const more = ["ProgressAction", "ErrorVariable", "WarningVariable", "InformationVariable"];
    const last = ["OutVariable", "OutBuffer", "PipelineVariable", "WhatIf", "Confirm"];
    const given = [...common, ...more, ...last];
    const own = help.known.filter((name: string) => !given.includes(name));
    expect(own).toHaveLength(texts.size - COMMON);
    expect(own.length).toBeGreaterThan(20);
    for (const name of own) expect.soft(texts.get(name), name).toMatch(/\w.{10}/);
    expect(help.examples.length).toBeGreaterThanOrEqual(6);
    for (const example of help.examples) expect(example).toMatch(/^\.\\install\.ps1 -/);
    for (let status = 0; status <= 9; status += 1) expect(help.notes).toContain(` ${status} `);
  });

  test("Get-Help finds it under the name by which the server hands it out", async () => {
    await using release = await stubRelease();
    const script = await stubScript(release);
    await using folder = await tempDirectory();
    await copyFile(script, join(folder.path, INSTALLER_NAMES.ps1));
    const ask = `Set-Location ${quoted(folder.path)}; Get-Help ./install.ps1 -Full | Out-String`;
    const { code, stdout } = await runCommand(ask);
    expect(code).toBe(0);
    for (const part of ["Installs the RPort agent", "-Server", "-Uninstall", "EXAMPLE 1"]) {
      expect(stdout).toContain(part);
    }
  });

  test("the template refuses to install anything", async () => {
    const text = `$ErrorActionPreference = 'Stop'; $RportVersion = ''; . ./installers/windows/functions.ps1; . ./installers/windows/owners.ps1; . ./installers/windows/installation.ps1; Invoke-Installer @{} $false`;
    const { code, stderr } = await runCommand(text);
    expect(code).not.toBe(0);
    expect(stderr).toContain("template");
  });

  test("cut off anywhere after its parameters it runs nothing", async () => {
    await using release = await stubRelease();
    const script = await stubScript(release);
    const text = (await readFile(script, "utf8")).trimEnd();
    const lengths = [1, 2, 3, 10, 57, 200, 999, 5_000, 15_000];
    const cuts = lengths.map((missing) => `${script}.${missing}.ps1`);
    for (const [at, missing] of lengths.entries()) {
      await writeFile(cuts[at] ?? "", text.slice(0, -missing));
    }
    const each = `try { & $_ -Server ${release.url} -Token ${TOKEN}; "$_ ran" } catch { 'refused' }`;
    const { stdout } = await runCommand(
      `${cuts.map(quoted).join(",")} | ForEach-Object { ${each} }`,
    );
    expect(stdout).toBe("refused\n".repeat(lengths.length));
    expect(release.requests).toEqual([]);
  });

  test("C-30, S-08: hostile values reach the agent as they are, and nobody else", async () => {
    await using release = await stubRelease();
    const mark = join(release.directory, "mark");
    const values = [
      `$(touch ${mark})`,
      `; New-Item ${mark}`,
      `'; touch ${mark}; '`,
      `" ; touch ${mark} #`,
      `\`"; touch ${mark}`,
      "a\\",
      'a\\" b',
      "*",
      "‘’“” ü",
      "$env:HOME",
    ];
    const text = `& ${quoted(await stubScript(release))} -Server ${quoted(release.url)} -Prefix ${quoted(join(release.directory, "prefix"))} -Token ${TOKEN} -Name ${quoted(`it's "web" 01`)} -Tag ${values.map(quoted).join(", ")}; exit $LASTEXITCODE`;
    const result = await runCommand(text, { env: windowsLook(release.directory) });
    expect(result.code).toBe(0);
    const call = await release.call();
    expect(call?.args.slice(0, 4)).toEqual([
      "install",
      `--server=${release.url}`,
      "--token-stdin",
      `--name=it's "web" 01`,
    ]);
    expect(call?.args.slice(4, -1)).toEqual(values.map((value) => `--tag=${value}`));
    expect(existsSync(mark)).toBe(false);
  });

  test.for([
    { how: "as a parameter", args: ["-Token", TOKEN], input: "" },
    { how: "through standard input", args: ["-TokenStdin"], input: `${TOKEN}\r\n` },
  ])("a token that comes $how is in no argument, no environment and no output", async (way) => {
    await using release = await stubRelease();
    const result = await runStub(release, [...way.args, "-Verbose"], way);
    expect(result).toMatchObject({ code: 0, left: [] });
    const call = await release.call();
    expect(call?.stdin).toBe(`${TOKEN}\n`);
    const seen = [call?.args, call?.environment, result.stdout, result.stderr].join(" ");
    expect(seen).not.toContain(TOKEN);
  });

  test("the system's proxy is asked, and told to the agent", async () => {
    await using release = await stubRelease();
    const server = "http://server.invalid";
    const result = await runScript(
      await stubScript(release),
      ["-Server", server, "-Prefix", join(release.directory, "prefix"), "-Token", TOKEN],
      { env: { ...windowsLook(release.directory), http_proxy: release.url } },
    );
    // A request through a proxy names the whole address, which the stub does not know.
    expect(result.code).toBe(5);
    expect(release.requests[0]).toMatch(/^http:\/\/server\.invalid\/agent\//);
  });

  test("a damaged download is not run, and leaves nothing", async () => {
    await using release = await stubRelease();
    const script = await stubScript(release);
    const name = [...release.served.keys()][0] ?? "";
    const good = release.served.get(name) ?? Buffer.of();
    const flipped = Buffer.from(good);
    flipped.writeUInt8(flipped.readUInt8(5) ^ 1, 5);
    for (const bad of [flipped, good.subarray(1), Buffer.concat([good, Buffer.from("x")])]) {
      release.served.set(name, bad);
      const args = ["-Server", release.url, "-Prefix", join(release.directory, "prefix")];
      await using temporary = await tempDirectory();
      const env = { ...windowsLook(release.directory), TMPDIR: temporary.path };
      const result = await runScript(script, [...args, "-Token", TOKEN], { env });
      expect(result.code).toBe(6);
      expect(result.stderr).toContain("install.ps1: rport-agent");
    }
    expect(await release.call()).toBeUndefined();
    expect(existsSync(join(release.directory, "prefix"))).toBe(false);
  });

  test("a file that the server does not have is told with its address", async () => {
    await using release = await stubRelease();
    const script = await stubScript(release);
    release.served.clear();
    const args = ["-Server", release.url, "-Prefix", join(release.directory, "prefix")];
    const result = await runScript(script, [...args, "-Token", TOKEN], {
      env: windowsLook(release.directory),
    });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain(`Could not fetch ${release.url}/agent/`);
    expect(result.stderr).toContain("404");
    expect(release.requests).toHaveLength(3);
  });

  test("a busy server is asked again until it has a turn", async () => {
    await using release = await stubRelease();
    release.trouble.left = 1;
    const result = await runStub(release, ["-Token", TOKEN]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain("The server is busy");
    expect(release.requests).toHaveLength(2);
  });

  test("the agent's exit status and words are the script's", async () => {
    await using release = await stubRelease((directory) => [
      {
        target: "linux-x64",
        name: "rport-agent-linux-x64",
        content: stubAgent(directory, { before: "echo sorry >&2", status: 4 }),
      },
    ]);
    // What says anything else than its version does not run here.
    const result = await runStub(release, ["-Token", TOKEN]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("sorry");
    expect(result.left).toEqual([]);
  });

  test("-WhatIf hands a dry run to the agent, and asks for no token", async () => {
    await using release = await stubRelease();
    const result = await runStub(release, ["-WhatIf"]);
    expect(result).toMatchObject({ code: 0, left: [] });
    expect((await release.call())?.args.at(-1)).toBe("--dry-run");
  });

  test("a package needs its hash, and then nothing is fetched", async () => {
    await using release = await stubRelease();
    const name = [...release.served.keys()][0] ?? "";
    const file = join(release.directory, "package[1].exe");
    await writeFile(file, release.served.get(name) ?? "");
    await chmod(file, 0o644);
    expect(await runStub(release, ["-Package", file, "-Token", TOKEN])).toMatchObject({ code: 2 });
    const wrong = ["-Package", file, "-Sha256", "0".repeat(64), "-Token", TOKEN];
    expect(await runStub(release, wrong)).toMatchObject({ code: 6, left: [] });
    expect(await release.call()).toBeUndefined();
    const { stdout } = await runCommand(`(Get-FileHash -LiteralPath ${quoted(file)}).Hash`);
    const right = ["-pkgUrl", file, "-Sha256", stdout.trim(), "-Token", TOKEN];
    expect(await runStub(release, right)).toMatchObject({ code: 0, left: [] });
    expect(release.requests).toEqual([]);
    expect((await release.call())?.stdin).toBe(`${TOKEN}\n`);
  });

  test.each([5, 6])("S-50: the agent that is installed ends it with status %s", async (status) => {
    await using release = await stubRelease();
    await installedStub(release, status);
    const result = await runStub(release, ["-Token", TOKEN]);
    expect(result).toMatchObject({ code: status, left: [] });
    expect(result.stderr).toContain("hands out an older release");
    expect(await release.call()).toBeUndefined();
    expect(await askedInstalled(release)).toEqual([
      "verify",
      `--server=${release.url}`,
      expect.stringMatching(/^--file=.*rport-agent/),
      `--prefix=${join(release.directory, "prefix")}`,
    ]);
  });

  test("S-50: -AllowDowngrade lets an older release in, and -Force asks nobody", async () => {
    await using release = await stubRelease();
    await installedStub(release, 6);
    const args = ["-Token", TOKEN, "-AllowDowngrade"];
    expect(await runStub(release, args)).toMatchObject({ code: 0, left: [] });
    expect((await askedInstalled(release))?.at(-1)).toBe("--allow-downgrade");
    expect((await release.call())?.args).not.toContain("--allow-downgrade");
    await using forced = await stubRelease();
    await installedStub(forced, 6);
    expect(await runStub(forced, ["-Token", TOKEN, "-Force"])).toMatchObject({ code: 0 });
    expect(await askedInstalled(forced)).toBeUndefined();
  });

  test("S-50: an installed agent that does not know the option is asked again without it", async () => {
    const args = ["-Token", TOKEN, "-AllowDowngrade"];
    for (const [status, code] of [
      [6, 6],
      [2, 0],
    ] as const) {
      await using release = await stubRelease();
      await installedStub(release, status, 2);
      expect(await runStub(release, args)).toMatchObject({ code, left: [] });
      expect(await askedInstalled(release)).toHaveLength(4);
      expect((await release.call())?.args[0]).toBe(code === 0 ? "install" : undefined);
    }
  });

  test("what is wrong with the parameters is told in a sentence", async () => {
    await using release = await stubRelease();
    const script = `& ${quoted(await stubScript(release))} -Prefix ${quoted(join(release.directory, "prefix"))}`;
    const wrong = [
      { words: `-Server ${release.url} -x`, says: "-x: this agent runs no commands" },
      { words: `-Server ${release.url} -d`, says: "-NoStart" },
      { words: `-Server ${release.url} -User me`, says: "an account that Windows keeps" },
      { words: `-Server ${release.url} -Sha256 a`, says: "-Sha256 needs -Package" },
      { words: "-Server nonsense", says: "must begin with http" },
      { words: `-Server ${release.url} -Token 'no token'`, says: "26 letters and digits" },
    ];
    const text = wrong.map(({ words }) => `${script} ${words}; "status $LASTEXITCODE"`).join("\n");
    const result = await runCommand(text, { env: windowsLook(release.directory) });
    const statuses = result.stdout.split("\n").filter((line) => line.startsWith("status"));
    expect(statuses).toEqual(wrong.map(() => "status 2"));
    const sentences = result.stderr.split("\n").filter((line) => line.startsWith("install.ps1: "));
    expect(sentences).toHaveLength(wrong.length);
    for (const [at, { says }] of wrong.entries()) expect(sentences[at]).toContain(says);
  });
});
