import { whyNotAuthId } from "@rport/protocol/ids";
import { t } from "@vscode/l10n";
import { env, window } from "vscode";
import type { CredentialTarget } from "../servers/entities.ts";
import type { Server } from "../servers/server.ts";
import { copyLines } from "./clients.ts";
import { deleteCredentials } from "./deleteCredentials.ts";
import type { Handlers } from "./registry.ts";
import { type RotationCommandsDeps, rotateCredential } from "./rotation.ts";
import { NOUNS } from "./targets/nouns.ts";

/** What the commands on credentials need. */
export interface CredentialCommandsDeps extends RotationCommandsDeps {
  readonly install: (target: CredentialTarget) => Promise<void>;
}

/** Commands that a credential or a pairing is the object of. */
export type CredentialHandlers = Pick<
  Handlers,
  "createCredential" | "deleteCredential" | "copyAuthId" | "revokePairing"
>;

/** Creating and deleting credentials. */
export function credentialHandlers(deps: CredentialCommandsDeps): CredentialHandlers {
  const { targets } = deps;
  return {
    async createCredential(input) {
      const isConnected = ({ state }: Server) => state.kind === "connected";
      const server = await targets.server(input, t("Create it on which server?"), isConnected);
      if (server !== undefined) await createCredential(server, deps);
    },
    async deleteCredential(input) {
      const chosen = await targets.credentials(input, {
        title: t("Delete which credential?"),
        noun: NOUNS.credential,
      });
      if (chosen === undefined) return;
      const rotateInstead = await deleteCredentials(chosen, deps);
      if (rotateInstead !== undefined) await rotateCredential(rotateInstead, deps);
    },
    async copyAuthId(input) {
      const chosen = await targets.credentials(input, {
        title: t("Copy which authentication ID?"),
        noun: NOUNS.credential,
      });
      if (chosen !== undefined) await copyLines(chosen.map(({ credential }) => credential.id));
    },
    async revokePairing(input) {
      const target = await targets.pairing(input, t("Revoke which pairing code?"));
      if (target === undefined) return;
      const params = { pairingId: target.pairing.id };
      await target.server.api.call("revokePairing", { params });
    },
  };
}

function whyNotNewId(id: string, server: Server): string | undefined {
  if (id === "") return undefined;
  if (server.mirror.maps.credentials.has(id))
    return t("{0} has a credential of this name.", server.name);
  return whyNotAuthId(id);
}

async function createCredential(
  server: Server,
  { install }: CredentialCommandsDeps,
): Promise<void> {
  const id = await window.showInputBox({
    title: t("Create Credential on {0}", server.name),
    prompt: t("Authentication ID, such as the name of a laptop or a team"),
    placeHolder: "web-fleet",
    validateInput: (value) => whyNotNewId(value, server),
  });
  if (id === undefined || id === "") return;
  const created = await server.api.call("createCredential", { body: { id } });
  // its clients are installed with secrets of their own, so this one is rarely needed
  const installClient = t("Install Client");
  const copyPassword = t("Copy Password");
  void window
    .showInformationMessage(
      t(
        "Credential {0} was created. Each client is installed with a secret of its own; the password, for RPort's own clients, can be copied only now.",
        id,
      ),
      installClient,
      copyPassword,
    )
    .then(async (chosen) => {
      if (chosen === copyPassword) await env.clipboard.writeText(created.password);
      const credential = server.mirror.maps.credentials.get(id);
      if (chosen === installClient && credential !== undefined) {
        await install({ server, credential });
      }
    });
}
