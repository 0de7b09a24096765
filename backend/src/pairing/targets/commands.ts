import { linuxCommand, macosCommand, type ShellCommandParts } from "@rport/protocol/commands";
import { dockerCommand } from "@rport/protocol/pairing/dockerCommand";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { windowsCommand } from "@rport/protocol/pairing/windowsCommand";

const LINUX_TOOLS = ["curl", "wget"] as const;

/** What the lines are made of, and for which machines there is an agent. */
export interface LineParts
  extends Pick<ShellCommandParts, "url" | "pairingUrl" | "id" | "sha256" | "token" | "tlsPin"> {
  readonly targets: readonly string[];
  /** SHA-256 of the script for PowerShell; undefined where there is none. */
  readonly powershellSha256?: string | undefined;
}

/**
 * The pasted lines as the server offers them: as root, without further flags. For a Mac, Windows and
 * Docker only where there is an agent that runs there; on a Mac with Node.js that is also the one for any system.
 * PowerShell 5.1 cannot pin a key, so there is no line for Windows where hosts have to.
 */
export function pairingCommands({ targets, ...given }: LineParts): NewPairing["commands"] {
  const { url, pairingUrl, id, sha256, token } = given;
  const tlsPin = url.startsWith("https:") ? given.tlsPin : undefined;
  const parts = { url, pairingUrl, id, sha256, token, tlsPin, sudo: true, flags: [] };
  const linux = LINUX_TOOLS.map((tool) => {
    return { platform: "linux", tool, text: linuxCommand({ ...parts, tool }) };
  });
  const has = (system: string) => targets.some((target) => target.startsWith(`${system}-`));
  const macos = { platform: "macos", tool: "curl", text: macosCommand(parts) };
  const forMac = has("darwin") || targets.includes("node") ? [macos] : [];
  const others = [...forMac, ...(has("windows") && tlsPin === undefined ? forWindows(given) : [])];
  if (!has("linux")) return [...linux, ...others];
  return [
    ...linux,
    ...others,
    { platform: "docker", tool: "docker", text: dockerCommand({ url, pairingUrl, tlsPin, token }) },
  ];
}

function forWindows({ url, pairingUrl, id, powershellSha256, token }: Omit<LineParts, "targets">) {
  if (powershellSha256 === undefined) return [];
  const sha256 = powershellSha256;
  const text = windowsCommand({ url, pairingUrl, id, sha256, token, parameters: {} });
  return [{ platform: "windows", tool: "powershell", text }];
}
