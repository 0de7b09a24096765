import { type LinuxCommandParts, linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/http";

/** The pasted lines as the server offers them: as root, without further flags. */
export function pairingCommands(
  parts: Pick<LinuxCommandParts, "url" | "id" | "sha256" | "token">,
): NewPairing["commands"] {
  const usual = { ...parts, sudo: true, flags: [] };
  return {
    linux_curl: linuxCommand({ ...usual, tool: "curl" }),
    linux_wget: linuxCommand({ ...usual, tool: "wget" }),
  };
}
