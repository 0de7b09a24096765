import type { EndpointInput, EndpointOutput } from "@rport/protocol/http";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Credential, Secret } from "@rport/protocol/model";
import type { DeletionReport } from "@rport/protocol/report";
import type { PurgeReport } from "../../credentials/removal/purge.ts";
import type { RemovalOptions } from "../../credentials/removal/removals.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import type { Handlers } from "../endpoints.ts";

type Body<N extends "createCredential" | "addSecret"> = EndpointInput<N>["body"];
type NewSecret = EndpointOutput<"createCredential">;

/** What the handlers of credentials need. */
export interface CredentialHandlerDeps {
  readonly searches: Pick<ListSearches, "run" | "work">;
  list(): readonly Credential[];
  get(id: AuthId): Credential | undefined;
  secrets(id: AuthId): readonly Secret[];
  /** `requireRight` is asked again when a typed password was worked on. */
  create(
    body: Body<"createCredential">,
    user: string,
    requireRight: () => void,
  ): Promise<NewSecret>;
  addSecret(id: AuthId, body: Body<"addSecret">, requireRight: () => void): Promise<NewSecret>;
  /** `graceMs` undefined: the grace ends when every client has moved. */
  rotate(id: AuthId, graceMs: number | undefined): Promise<EndpointOutput<"rotateCredential">>;
  previewRotation(
    id: AuthId,
    graceMs: number | undefined,
  ): Promise<EndpointOutput<"rotateCredential">>;
  rotation(id: AuthId): Promise<EndpointOutput<"getRotation">>;
  finishRotation(id: AuthId): Promise<DeletionReport>;
  previewFinish(id: AuthId): DeletionReport;
  cancelRotation(id: AuthId): Promise<void>;
  update(id: AuthId, change: EndpointInput<"updateCredential">["body"]): Promise<void>;
  revokeSecret(id: AuthId, secretId: SecretId): Promise<DeletionReport>;
  previewSecretRevocation(id: AuthId, secretId: SecretId): DeletionReport;
  purgeUnused(): Promise<PurgeReport>;
  previewPurge(): PurgeReport;
  remove(id: AuthId, how: RemovalOptions): Promise<DeletionReport>;
  previewRemoval(id: AuthId, how: RemovalOptions): DeletionReport;
}

type CredentialEndpoint =
  | "listCredentials"
  | "getCredential"
  | "createCredential"
  | "deleteCredential"
  | "listSecrets"
  | "addSecret"
  | "rotateCredential"
  | "getRotation"
  | "finishRotation"
  | "cancelRotation"
  | "updateCredential"
  | "revokeSecret"
  | "purgeUnused";

/** The credential list: RPort filters by `id` only; the others are ours. */
const credentialList: ListSpec<Credential> = {
  resource: "clients-auth",
  filters: {
    id: ({ id }) => id,
    label: ({ label }) => label,
    kind: ({ kind }) => kind,
    state: ({ state }) => state,
    created_at: (credential) => credential.created_at,
    last_used_at: (credential) => credential.last_used_at,
  },
  times: ["created_at", "last_used_at"],
  order: ({ id }) => id,
  sorts: {},
  fields: {},
  defaultFields: [],
};

/** Serves `/clients-auth` as RPort does, but never with a password that was not just made. */
export function credentialHandlers(
  source: CredentialHandlerDeps,
): Pick<Handlers, CredentialEndpoint> {
  const require = (id: AuthId): Credential => {
    const credential = source.get(id);
    if (credential !== undefined) return credential;
    throw noSuchCredential();
  };
  return {
    listCredentials({ query }, { actor }) {
      const row = (credential: Credential) => credential;
      const listing = { items: source.list(), query, spec: credentialList, row };
      return source.searches.run(actor, listing);
    },
    getCredential: ({ params }) => ({ data: require(params.authId) }),
    createCredential: async ({ body }, { user, requireRight }) => ({
      data: await source.create(body, user, requireRight),
    }),
    async deleteCredential({ params, query }) {
      const { authId } = params;
      const how = { force: query.force ?? false, purge: query.purge ?? false };
      const data = query.dry_run ? source.previewRemoval(authId, how) : source.remove(authId, how);
      return { data: await data };
    },
    async updateCredential({ params, body }) {
      await source.update(params.authId, body);
      return { data: require(params.authId) };
    },
    async revokeSecret({ params: { authId, secretId }, query }) {
      const data = query.dry_run
        ? source.previewSecretRevocation(authId, secretId)
        : source.revokeSecret(authId, secretId);
      return { data: await data };
    },
    async purgeUnused({ body }) {
      const purge = body.dry_run ? source.previewPurge() : source.purgeUnused();
      const { removed, failed } = await purge;
      const data = {
        credentials: removed.map(({ id }) => id),
        failed: failed.map(({ id, error: { code, message: title } }) => ({ id, code, title })),
      };
      if (body.dry_run) return { data };
      const gone = removed.map(({ id, report: outcome }) => ({ id, outcome }));
      const kept = failed.map(({ id, error: outcome }) => ({ id, outcome }));
      return { data, deletions: [...gone, ...kept] };
    },
    listSecrets({ params }) {
      const secrets = source.secrets(require(params.authId).id);
      return { data: [...secrets], count: secrets.length };
    },
    addSecret: async ({ params, body }, { requireRight }) => ({
      data: await source.addSecret(params.authId, body, requireRight),
    }),
    async rotateCredential({ params, query, body }, { actor }) {
      const graceMs = body.grace_seconds === null ? undefined : body.grace_seconds * 1_000;
      const { authId } = params;
      const data = query.dry_run
        ? source.searches.work(actor, () => source.previewRotation(authId, graceMs))
        : source.rotate(authId, graceMs);
      return { data: await data };
    },
    getRotation: ({ params }, { actor }) =>
      source.searches.work(actor, async () => ({ data: await source.rotation(params.authId) })),
    async finishRotation({ params: { authId }, query }) {
      const data = query.dry_run ? source.previewFinish(authId) : source.finishRotation(authId);
      return { data: await data };
    },
    async cancelRotation({ params }) {
      await source.cancelRotation(params.authId);
      return undefined;
    },
  };
}
