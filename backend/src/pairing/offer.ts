import { scriptUrl } from "@rport/protocol/commands";
import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/http";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import {
  type PairingPayload,
  type PairingToken,
  pairingPayloadSchema,
} from "@rport/protocol/pairing";
import { seal, type TokenParts } from "@rport/protocol/sealing";
import { pairingCommands } from "./commands.ts";
import type { Deposit, Use } from "./deposit.ts";

/** A pairing somebody asked for. */
export interface PairingInput {
  readonly credentialId: AuthId;
  /** Seconds; undefined: `PAIRING_TTL_S`. */
  readonly ttlS?: number | undefined;
  readonly uses: number;
  readonly name: string;
  readonly tags: readonly string[];
  /** `http(s)://host[:port]` under which the request reached this server. */
  readonly origin: string;
}

/** What every pairing of this server says. */
export interface PairingServer {
  /** The host key's `SHA256:` fingerprint, which every paired agent pins. */
  readonly fingerprint: string;
  /** SHA-256 of the installer script, 64 hexadecimal digits. */
  readonly scriptSha256: string;
  /** Where agents reach this server; empty: where the request for the pairing came in. */
  readonly serverUrls: readonly string[];
}

/** A payload that still lacks the secret of its host. */
export type Draft = Omit<PairingPayload, "secret">;

/** A secret in the clear, on its way into an envelope. */
export interface Minted {
  readonly secretId: SecretId;
  readonly secret: string;
}

/** Checks what people typed. Throws `BAD_REQUEST` naming the field. */
export function draftPayload(input: PairingInput, server: PairingServer): Draft {
  const { serverUrls, fingerprint } = server;
  const urls = serverUrls.length > 0 ? serverUrls : [input.origin];
  const parsed = pairingPayloadSchema.omit({ secret: true }).safeParse({
    server_urls: urls.map((url) => url.replace(/\/+$/, "")),
    fingerprint,
    auth_id: input.credentialId,
    name: input.name,
    tags: [...input.tags],
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "content";
  throw new RportError("BAD_REQUEST", `The pairing's ${field} is not valid: ${issue?.message}`);
}

/** Seals one payload per secret; `expires` is RFC 3339 text. */
export function sealUses(
  parts: TokenParts,
  minted: readonly Minted[],
  content: { readonly draft: Draft; readonly expires: string },
): Use[] {
  return minted.map(({ secretId, secret }) => ({
    secretId,
    sealed: seal(parts, { ...content.draft, secret }, content.expires),
  }));
}

/** The one answer that contains the token. */
export function newPairing(
  deposit: Deposit,
  token: PairingToken,
  about: { readonly draft: Draft; readonly server: PairingServer },
): NewPairing {
  const url = about.draft.server_urls[0] ?? "";
  const sha256 = about.server.scriptSha256;
  return {
    pairing: deposit.view(),
    token,
    server_url: url,
    script_url: scriptUrl(url, deposit.id),
    script_sha256: sha256,
    commands: pairingCommands({ url, id: deposit.id, sha256, token }),
  };
}
