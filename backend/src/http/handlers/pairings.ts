import { authIdSchema } from "@rport/protocol/ids";
import type { AgentFiles } from "../../downloads/agentFiles.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { PairingService } from "../../pairing/pairingService.ts";
import type { Pairings } from "../../pairing/pairings.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of pairings need. */
export interface PairingHandlerDeps {
  readonly pairings: Pick<Pairings, "all">;
  readonly searches: Pick<ListSearches, "all">;
  readonly pairingService: Pick<PairingService, "create" | "revoke">;
  readonly agentFiles: Pick<AgentFiles, "require">;
  /** How long a pairing works when its maker does not say. */
  readonly pairingTtlS: number;
  /** Where hosts find the installer, for somebody who reached this server under `origin`. */
  readonly installOrigin: (origin: string) => string;
}

/** Serves the management of pairings; the installers' side is `pairingDoor.ts`. */
export function pairingHandlers({
  pairings,
  searches,
  pairingService,
  agentFiles,
  pairingTtlS,
  installOrigin,
}: PairingHandlerDeps): Pick<Handlers, "listPairings" | "createPairing" | "revokePairing"> {
  return {
    listPairings(_input, { actor }) {
      return searches.all(
        actor,
        () => pairings.all(),
        (one) => one,
      );
    },
    async createPairing({ body }, { origin: reachedAt, actor, requireRight }) {
      const id = authIdSchema.safeParse(body.credential_id);
      if (!id.success) throw noSuchCredential();
      await agentFiles.require();
      const origin = installOrigin(reachedAt);
      const { ttl_seconds: ttlS = pairingTtlS, uses, name, tags, hostname, service } = body;
      const { server_url: serverUrl } = body;
      const data = await pairingService.create({
        credentialId: id.data,
        ttlS,
        uses,
        name,
        tags,
        hostname,
        service,
        origin,
        serverUrl,
        maker: () => (actor.hasAccount ? actor.name : undefined),
      });
      try {
        requireRight();
      } catch (caught) {
        // Whoever was disabled meanwhile had no pairing yet that could be ended.
        await pairingService.revoke(data.pairing.id);
        throw caught;
      }
      return { data };
    },
    async revokePairing({ params }) {
      await pairingService.revoke(params.pairingId);
      return undefined;
    },
  };
}
