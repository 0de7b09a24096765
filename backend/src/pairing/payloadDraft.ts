import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import { pairingPayloadSchema } from "@rport/protocol/pairing";
import type { PairingPayloadDraft } from "./targets/target.ts";
import type { TargetName } from "./targets/targets.ts";

/** A pairing somebody asked for. */
export interface PairingInput {
  readonly credentialId: AuthId;
  /** Seconds; undefined: `PAIRING_TTL_S`. */
  readonly ttlS?: number | undefined;
  readonly uses: number;
  readonly name: string;
  readonly tags: readonly string[];
  /** The only host that may claim it, by the name it has itself; empty: any. */
  readonly hostname: string;
  /** Where hosts get what they need. */
  readonly service: TargetName;
  /** `http(s)://host[:port][/path]` under which the request reached this server. */
  readonly origin: string;
  /** Where the host is to reach this server, in place of all other addresses; empty: as usual. */
  readonly serverUrl?: string;
  /** The user who asks, by the name of then; undefined: nobody with an account. */
  readonly maker?: () => string | undefined;
}

/** What every pairing of this server says. */
export interface PairingServer {
  /** The server key's `SHA256:` fingerprint, which every paired agent pins. */
  readonly fingerprint: string;
  /** Where agents reach this server; empty: where the request for the pairing came in. */
  readonly serverUrls: readonly string[];
}

/** Checks what people typed. Throws `BAD_REQUEST` naming the field. */
export function draftPayload(input: PairingInput, server: PairingServer): PairingPayloadDraft {
  const { serverUrls, fingerprint } = server;
  const usual = serverUrls.length > 0 ? serverUrls : [input.origin];
  const urls = input.serverUrl ? [input.serverUrl] : usual;
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
