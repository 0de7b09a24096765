import { RportError } from "@rport/protocol/errors";
import type { AgentCredential } from "./config.ts";
import { withKey } from "./keyLine.ts";

/**
 * The text of `rport.conf` with another `client.auth`, and nothing else changed, as `withKey` does it.
 * Throws when the credential cannot be written as TOML.
 */
export function replaceAuth(text: string, credential: AgentCredential): string {
  const value = `${credential.authId}:${credential.secret}`;
  const replaced = withKey(text, { section: "client", key: "auth" }, value);
  if (replaced !== undefined) return replaced;
  throw new RportError("BAD_REQUEST", "The new secret cannot be written to the configuration.");
}
