import { type LinuxCommandParts, linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";

const LINUX_TOOLS = ["curl", "wget"] as const;

/** The pasted lines as the server offers them: as root, without further flags. */
export function pairingCommands({
  url,
  pairingUrl,
  id,
  sha256,
  token,
}: Pick<
  LinuxCommandParts,
  "url" | "pairingUrl" | "id" | "sha256" | "token"
>): NewPairing["commands"] {
  return LINUX_TOOLS.map((tool) => ({
    platform: "linux",
    tool,
    text: linuxCommand({ url, pairingUrl, id, sha256, token, tool, sudo: true, flags: [] }),
  }));
}
