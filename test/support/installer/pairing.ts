import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { RunningBackend } from "../backend/backend.ts";

/** The auth id of the credential that installer tests pair with. */
export const CREDENTIAL = "fleet-a";

/** Makes a pairing, and before the first one the credential it needs. */
export async function newPairing(backend: RunningBackend): Promise<NewPairing> {
  const credentials = await backend.api("listCredentials");
  if (!credentials.some(({ id }) => id === CREDENTIAL)) {
    await backend.api("createCredential", { body: { id: CREDENTIAL } });
  }
  return backend.api("createPairing", { body: { credential_id: CREDENTIAL } });
}

/** The line to paste on a Linux host that has curl. */
export function curlLine({ commands }: Pick<NewPairing, "commands">): string {
  const line = commands.find(({ platform, tool }) => platform === "linux" && tool === "curl");
  if (line === undefined) throw new Error("the server offers no line for curl");
  return line.text;
}

/** Appends arguments to the installer's in a pasted line. */
export function withFlags(line: string, flags: string): string {
  return line.replace("--token-stdin", `--token-stdin ${flags}`);
}
