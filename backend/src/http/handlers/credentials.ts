import { RportError } from "@rport/protocol/errors";
import type { EndpointInput, EndpointOutput } from "@rport/protocol/http";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Credential, Secret } from "@rport/protocol/model";
import type { DeletionReport } from "@rport/protocol/report";
import { selectPage } from "../../lists/listQuery.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import type { Handlers } from "../endpoints.ts";

type Body<N extends "createCredential" | "addSecret"> = EndpointInput<N>["body"];
type NewSecret = EndpointOutput<"createCredential">;

/** What the handlers of credentials need. */
export interface CredentialHandlerDeps {
  list(): readonly Credential[];
  get(id: AuthId): Credential | undefined;
  secrets(id: AuthId): readonly Secret[];
  create(body: Body<"createCredential">, user: string): Promise<NewSecret>;
  addSecret(id: AuthId, body: Body<"addSecret">): Promise<NewSecret>;
  /** Null: the grace ends when every client has moved. */
  rotate(
    id: AuthId,
    how: { readonly graceMs: number | null; readonly dryRun: boolean },
  ): Promise<EndpointOutput<"rotateCredential">>;
  rotation(id: AuthId): EndpointOutput<"getRotation">;
  finishRotation(id: AuthId, dryRun: boolean): Promise<DeletionReport>;
  cancelRotation(id: AuthId): Promise<void>;
  update(id: AuthId, change: EndpointInput<"updateCredential">["body"]): Promise<void>;
  revokeSecret(id: AuthId, secretId: SecretId, dryRun: boolean): Promise<DeletionReport>;
  purgeUnused(dryRun: boolean): Promise<{
    readonly removed: readonly { readonly id: AuthId; readonly report: DeletionReport }[];
    readonly failed: readonly { readonly id: AuthId; readonly error: RportError }[];
  }>;
  remove(
    id: AuthId,
    how: { readonly force: boolean; readonly purge: boolean; readonly dryRun: boolean },
  ): Promise<DeletionReport>;
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
    throw new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
  };
  return {
    listCredentials({ query }) {
      const { items, count } = selectPage(source.list(), query, credentialList);
      return { data: [...items], count };
    },
    getCredential: ({ params }) => ({ data: require(params.authId) }),
    createCredential: async ({ body }, { user }) => ({ data: await source.create(body, user) }),
    async deleteCredential({ params, query }) {
      const dryRun = query.dry_run ?? false;
      const how = { force: query.force ?? false, purge: query.purge ?? false, dryRun };
      return { data: await source.remove(params.authId, how) };
    },
    async updateCredential({ params, body }) {
      await source.update(params.authId, body);
      return { data: require(params.authId) };
    },
    revokeSecret: async ({ params, query }) => ({
      data: await source.revokeSecret(params.authId, params.secretId, query.dry_run ?? false),
    }),
    async purgeUnused({ body }) {
      const { removed, failed } = await source.purgeUnused(body.dry_run);
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
    addSecret: async ({ params, body }) => ({ data: await source.addSecret(params.authId, body) }),
    async rotateCredential({ params, query, body }) {
      const graceMs = body.grace_seconds === null ? null : body.grace_seconds * 1_000;
      const how = { graceMs, dryRun: query.dry_run ?? false };
      return { data: await source.rotate(params.authId, how) };
    },
    getRotation: ({ params }) => ({ data: source.rotation(params.authId) }),
    finishRotation: async ({ params, query }) => ({
      data: await source.finishRotation(params.authId, query.dry_run ?? false),
    }),
    async cancelRotation({ params }) {
      await source.cancelRotation(params.authId);
      return undefined;
    },
  };
}
