import { FEATURES, REQUESTS, rotateSecretSchema } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { CredentialStore } from "../config/credentialStore.ts";
import { textOf } from "../platform/errorText.ts";
import type { Log } from "../platform/log.ts";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** What storing a secret needs. */
export interface RotateSecretDeps {
  readonly credentials: CredentialStore;
  readonly log: Log;
}

/**
 * Stores the next secret. The answer leaves only after the secret is durable: the server may then
 * drop the old one. Hence no limit in time: a secret must not be stored after its refusal. What comes
 * faster than a disk should be written to is refused: a server that rotates asks again.
 */
export function rotateSecret({ credentials, log }: RotateSecretDeps): ServerRequest {
  return serverRequest({
    name: REQUESTS.rotateSecret,
    feature: FEATURES.rotateSecret,
    limits: { bytes: 4 << 10 },
    schema: rotateSecretSchema,
    async answer({ auth_id, secret_id, secret }) {
      if (auth_id !== credentials.current.authId) {
        throw new RequestRefused("this agent uses another auth id");
      }
      if (!credentials.admits(secret)) {
        const { refused } = credentials;
        log.warn("the server hands out new secrets too fast; not stored", { secret_id, refused });
        throw new RequestRefused("too many new secrets: one in ten seconds is taken");
      }
      log.hideOffered(secret);
      try {
        await credentials.replaceSecret(secret);
      } catch (error) {
        log.error("the new secret could not be stored", { secret_id, error: textOf(error) });
        throw new RequestRefused(`the new secret could not be stored: ${textOf(error)}`);
      }
      log.info("stored a new secret", { secret_id });
      return { secret_id };
    },
  });
}
