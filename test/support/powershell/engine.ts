import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "../repository.ts";
import { type RunOptions, type RunResult, run } from "../systemd/process.ts";

const POWERSHELL_VERSION = "7.6.9";
const PESTER_VERSION = "6.2.0";
/** Two packages from the registry; a slow one gets its time. */
const INSTALL_MS = 300_000;
const CACHE = join(ROOT, ".cache");
const POWERSHELL = join(CACHE, `powershell-${POWERSHELL_VERSION}`);
const PESTER = join(CACHE, `pester-${PESTER_VERSION}`);

/** A project that has no code and builds nothing: the registry's client wants one to fetch for. */
const FETCHER = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup><PackageDownload Include="Pester" Version="[${PESTER_VERSION}]" /></ItemGroup>
</Project>
`;

/** What every PowerShell of a test is told: to tell nobody that it runs. */
const QUIET = {
  POWERSHELL_TELEMETRY_OPTOUT: "1",
  DOTNET_CLI_TELEMETRY_OPTOUT: "1",
  DOTNET_NOLOGO: "1",
  POWERSHELL_UPDATECHECK: "Off",
  NO_COLOR: "1",
};

/** PowerShell 7 on this machine. */
export const PWSH = join(POWERSHELL, "pwsh");

/** The module that runs tests written in PowerShell. */
export const PESTER_MODULE = join(PESTER, "pester", PESTER_VERSION, "tools", "Pester.psd1");

/**
 * Why there is no PowerShell on this machine, as a sentence for `ctx.skip`, or undefined when there
 * is one or it can be installed.
 */
export function whyNoPowershell(): string | undefined {
  if (existsSync(PWSH) && existsSync(PESTER_MODULE)) return undefined;
  const { status } = spawnSync("dotnet", ["--list-sdks"], { env: environment() });
  return status === 0 ? undefined : "there is no .NET SDK, which installs PowerShell for tests";
}

/** Installs PowerShell and Pester into the checkout's cache, unless they are there. */
export async function ensurePowershell(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  if (!existsSync(PWSH)) await publish(POWERSHELL, installPowershell);
  if (!existsSync(PESTER_MODULE)) await publish(PESTER, installPester);
}

/** Runs a script with arguments, each of which reaches it as it is. */
export function runScript(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run(PWSH, ["-NoLogo", "-NoProfile", "-NonInteractive", "-File", file, ...args], {
    ...options,
    env: { ...environment(), ...options.env },
  });
}

/** Runs PowerShell text as somebody would type it. */
export function runCommand(text: string, options: RunOptions = {}): Promise<RunResult> {
  return run(PWSH, ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", text], {
    ...options,
    env: { ...environment(), ...options.env },
  });
}

/** A string of PowerShell for text that a test chooses; every kind of single quote ends one. */
export const quoted = (text: string) => `'${text.replaceAll(/['‘’‚‛]/g, "$&$&")}'`;

async function publish(target: string, install: (draft: string) => Promise<void>): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    await install(draft);
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function installPowershell(draft: string): Promise<void> {
  return dotnet(
    ["tool", "install", "PowerShell", "--version", POWERSHELL_VERSION, "--tool-path", draft],
    dirname(draft),
  );
}

async function installPester(draft: string): Promise<void> {
  await writeFile(join(draft, "fetch.csproj"), FETCHER);
  await dotnet(["restore", "--packages", draft], draft);
}

async function dotnet(args: readonly string[], cwd: string): Promise<void> {
  const result = await run("dotnet", args, { cwd, env: environment(), timeoutMs: INSTALL_MS });
  if (result.code === 0) return;
  throw new Error(`dotnet ${args[0]} failed: ${result.stdout}${result.stderr}`);
}

/** The caller's own, apart from what would make a program report or load something else. */
function environment(): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(own), ...QUIET };
}
