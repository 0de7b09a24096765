import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import type { Sheets } from "../install/sheets.ts";
import { displayName } from "../model/arrange.ts";
import type { Server } from "../servers/server.ts";
import type { CommandInput, Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

const WHICH_CREDENTIAL = t("Sign in with which credential?");

/** What installing needs. */
export interface InstallCommandDeps {
  readonly targets: Targets;
  readonly sheets: Sheets;
  /** Runs when a server has no credential yet. */
  readonly createCredential: Handlers["createCredential"];
}

/**
 * "Install Client..." opens the sheet of a credential, which it asks for only when there are
 * several; "Install Again..." opens it for a host that could not follow a rotation.
 */
export function installHandlers(
  deps: InstallCommandDeps,
): Pick<Handlers, "installClient" | "installAgain"> {
  const { targets, sheets } = deps;
  return {
    async installClient(input) {
      if (input.node?.kind === "credential") {
        const given = await targets.credential(input, {
          title: WHICH_CREDENTIAL,
          noun: NOUNS.credential,
        });
        if (given !== undefined) await sheets.open(given);
        return;
      }
      const isConnected = ({ state }: Server) => state.kind === "connected";
      const server = await targets.server(
        input,
        t("Install a client of which server?"),
        isConnected,
      );
      if (server !== undefined) await installOn(server, input, deps);
    },
    async installAgain(input) {
      const fits = (client: Client) => client.rotation_state === "straggler";
      const title = t("Install which client again?");
      const noun = NOUNS.stragglingClient;
      const target = await targets.client(input, { title, noun, fits });
      if (target === undefined) return;
      const { server, client } = target;
      const credential = server.mirror.maps.credentials.get(client.client_auth_id);
      if (credential !== undefined) await sheets.open({ server, credential }, displayName(client));
    },
  };
}

async function installOn(
  server: Server,
  input: CommandInput,
  { targets, sheets, createCredential }: InstallCommandDeps,
): Promise<void> {
  if (server.mirror.maps.credentials.size === 0) {
    await createCredential(input);
    return;
  }
  const target = await targets.credentialOf(server, WHICH_CREDENTIAL);
  if (target !== undefined) await sheets.open(target);
}
