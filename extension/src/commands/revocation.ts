import type { Client } from "@rport/protocol/model";
import type { Refusal } from "@rport/protocol/refusal";
import type { DeletionReport } from "@rport/protocol/report";
import { t } from "@vscode/l10n";
import { displayName } from "../model/arrange.ts";
import { blastLines, isHarmless, NAMES_MAX, sumReports } from "../model/blast.ts";
import { isOfRevoked } from "../model/outcome.ts";
import { isStillTrying } from "../model/rows/refusalRow.ts";
import type { ClientTarget, SecretTarget } from "../servers/entities.ts";
import { inertLine, nameSome } from "../support/text.ts";
import { confirm, serversOf } from "./confirm.ts";
import { inTurn } from "./inTurn.ts";
import { actAndTell, type OutcomeDeps } from "./outcomes.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

/** What the commands that take rights away need. */
export interface RevocationDeps extends OutcomeDeps {
  readonly targets: Targets;
}

/** Commands that shut hosts out, let them in again, or forget them. */
export type RevocationHandlers = Pick<
  Handlers,
  "revokeSecret" | "revokeClient" | "allowClient" | "forgetClient"
>;

/** Shutting out one secret or one host, letting it in again, and forgetting those that are gone. */
export function revocationHandlers(deps: RevocationDeps): RevocationHandlers {
  const { targets } = deps;
  const isNotRevoked = ({ revoked_at: at }: Client) => at === null;
  return {
    async revokeSecret(input) {
      const chosen = await targets.secrets(input, t("Revoke which secret?"));
      if (chosen !== undefined) await revokeSecrets(chosen, deps);
    },
    async revokeClient(input) {
      const chosen = await targets.clients(input, {
        title: t("Revoke which client?"),
        noun: NOUNS.allowedClient,
        fits: isNotRevoked,
      });
      if (chosen !== undefined) await revokeClients(chosen, deps);
    },
    async allowClient(input) {
      const fits = ({ revoked_at: at }: Client) => at !== null;
      const chosen = await targets.clients(input, {
        title: t("Allow which client again?"),
        noun: NOUNS.revokedClient,
        fits,
      });
      if (chosen !== undefined) await allowClients(chosen);
    },
    async forgetClient(input) {
      const chosen = await targets.clients(input, {
        title: t("Forget which client?"),
        noun: NOUNS.forgettableClient,
        status: "offline",
        fits: isNotRevoked,
      });
      if (chosen !== undefined) await forgetClients(chosen);
    },
  };
}

function nameOf(chosen: readonly ClientTarget[]): string {
  const [only] = chosen;
  return chosen.length === 1 && only !== undefined
    ? inertLine(displayName(only.client))
    : t("{0} clients", chosen.length);
}

/** Which ones, where the question only counts them. */
function namesOf(chosen: readonly ClientTarget[]): string {
  if (chosen.length === 1) return "";
  return `${nameSome(
    chosen.map(({ client }) => inertLine(displayName(client))),
    NAMES_MAX,
  )}.`;
}

async function revokeSecrets(chosen: readonly SecretTarget[], deps: OutcomeDeps): Promise<void> {
  const call = ({ server, secret }: SecretTarget, query: Record<string, string>) => {
    const params = { authId: secret.credential_id, secretId: secret.id };
    return server.api.call("revokeSecret", { params, query: { ...query, report: "true" } });
  };
  const hit = sumReports(
    await Promise.all(chosen.map((target) => call(target, { dry_run: "true" }))),
  );
  const credentials = [...new Set(chosen.map(({ secret }) => secret.credential_id))].join(", ");
  const servers = serversOf(chosen);
  const answer = await confirm({
    question:
      chosen.length === 1
        ? t("Revoke this secret of {0} on {1}?", credentials, servers)
        : t("Revoke {0} secrets of {1} on {2}?", chosen.length, credentials, servers),
    lines: [
      ...hitLines(hit),
      t("A host that loses its secret must be installed again to come back; its record stays."),
    ],
    button: chosen.length === 1 ? t("Revoke Secret") : t("Revoke {0} Secrets", chosen.length),
  });
  if (answer !== "act") return;
  await inTurn(chosen, {
    nameOf: ({ secret }) => t("A secret of {0}", secret.credential_id),
    act: (target) => {
      const { server, secret } = target;
      const title = t("A secret of {0} was revoked", secret.credential_id);
      const isMeant = (refusal: Refusal) =>
        isStillTrying(refusal) && refusal.auth_id === secret.credential_id;
      return actAndTell(server, { title, isMeant, act: () => call(target, {}) }, deps);
    },
  });
}

async function revokeClients(chosen: readonly ClientTarget[], deps: OutcomeDeps): Promise<void> {
  const call = ({ server, client }: ClientTarget, query: Record<string, string>) =>
    server.api.call("revokeClient", { params: { clientId: client.id }, query });
  const hit = sumReports(
    await Promise.all(chosen.map((target) => call(target, { dry_run: "true" }))),
  );
  const answer = await confirm({
    question: t("Revoke {0} on {1}?", nameOf(chosen), serversOf(chosen)),
    lines: [
      ...hitLines(hit),
      chosen.length === 1
        ? t(
            "No secret lets it in from now on, until you choose Allow Client Again. Its record and its tags stay, and other clients of its credential are not touched.",
          )
        : t(
            "No secret lets them in from now on, until you choose Allow Client Again. Their records and tags stay, and other clients of their credentials are not touched.",
          ),
    ],
    button: chosen.length === 1 ? t("Revoke Client") : t("Revoke {0} Clients", chosen.length),
  });
  if (answer !== "act") return;
  await inTurn(chosen, {
    nameOf: ({ client }) => displayName(client),
    act: (target) => {
      const { server, client } = target;
      const title = t("{0} was revoked", displayName(client));
      const isMeant = isOfRevoked(client.id);
      return actAndTell(server, { title, isMeant, act: () => call(target, {}) }, deps);
    },
  });
}

async function allowClients(chosen: readonly ClientTarget[]): Promise<void> {
  const answer = await confirm({
    question: t("Let {0} in again on {1}?", nameOf(chosen), serversOf(chosen)),
    lines: [
      namesOf(chosen),
      chosen.length === 1
        ? t(
            "It may sign in with any secret that is not revoked. Secrets that only it could use stay revoked: if it had one, install it again.",
          )
        : t(
            "They may sign in with any secret that is not revoked. Secrets that only one of them could use stay revoked: whoever had one must be installed again.",
          ),
    ],
    button: chosen.length === 1 ? t("Allow Client") : t("Allow {0} Clients", chosen.length),
  });
  if (answer !== "act") return;
  await inTurn(chosen, {
    nameOf: ({ client }) => displayName(client),
    act: ({ server, client }) =>
      server.api.call("allowClient", { params: { clientId: client.id } }),
  });
}

async function forgetClients(chosen: readonly ClientTarget[]): Promise<void> {
  const call = ({ server, client }: ClientTarget, query: Record<string, string>) =>
    server.api.call("deleteClient", { params: { clientId: client.id }, query });
  // refuses those that have come back meanwhile
  for (const target of chosen) await call(target, { dry_run: "true", report: "true" });
  const answer = await confirm({
    question: t("Forget {0} on {1}?", nameOf(chosen), serversOf(chosen)),
    lines: [
      namesOf(chosen),
      chosen.length === 1
        ? t(
            "The record on the server is deleted, with its tags, its tunnels and its history. If it connects again, it comes back as a new client, unless its secret was revoked.",
          )
        : t(
            "The records on the server are deleted, with their tags, tunnels and history. Whichever connects again comes back as a new client, unless its secret was revoked.",
          ),
    ],
    button: chosen.length === 1 ? t("Forget Client") : t("Forget {0} Clients", chosen.length),
  });
  if (answer !== "act") return;
  await inTurn(chosen, {
    nameOf: ({ client }) => displayName(client),
    act: (target) => call(target, {}),
  });
}

function hitLines(hit: DeletionReport): readonly string[] {
  return isHarmless(hit) ? [t("No client uses it now.")] : blastLines(hit);
}
