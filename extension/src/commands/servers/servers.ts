import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { env, window } from "vscode";
import type { ApiFetch } from "../../api/http.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { ServerSettings } from "../../servers/settings.ts";
import { endToken } from "../../servers/signIn.ts";
import type { Tokens } from "../../servers/tokens.ts";
import type { Authorities } from "../../servers/trust/authorities.ts";
import type { Environment } from "../../support/environment.ts";
import { plural } from "../../support/plural.ts";
import { plainText } from "../../support/text.ts";
import type { Documents } from "../../views/documents.ts";
import { addServer, renameServer, signInAgain } from "../people/addServer.ts";
import { stillValid } from "../people/keepToken.ts";
import type { Handlers } from "../registry.ts";
import type { Targets } from "../targets/targets.ts";
import { checkConnection } from "./checkConnection.ts";

/** What the commands on servers need. */
export interface ServerCommandsDeps {
  readonly fleet: Fleet;
  readonly settings: ServerSettings;
  readonly tokens: Tokens;
  readonly targets: Targets;
  readonly environment: Environment;
  readonly fetch: ApiFetch;
  readonly authorities: Pick<Authorities, "get">;
  readonly documents: Documents;
}

/** Commands that a server is the object of. */
export type ServerHandlers = Pick<
  Handlers,
  | "addServer"
  | "signIn"
  | "signInAgain"
  | "renameServer"
  | "signOut"
  | "removeServer"
  | "copyFingerprint"
  | "reviewFingerprint"
  | "checkConnection"
>;

/** Adding, signing in to and out of, and removing servers. */
export function serverHandlers(deps: ServerCommandsDeps): ServerHandlers {
  const { targets } = deps;
  return {
    addServer: () => addServer(deps),
    async signIn(input) {
      const isOpen = ({ isLocal, state }: Server) => !isLocal && state.kind !== "connected";
      const server = await targets.server(input, t("Sign in to which server?"), isOpen);
      if (server !== undefined) await signIn(server, deps);
    },
    async signInAgain(input) {
      const isRefused = ({ state }: Server) =>
        state.kind === "signedOut" && state.refusal !== undefined;
      const server = await targets.server(input, t("Sign in to which server again?"), isRefused);
      if (server !== undefined) await signIn(server, deps);
    },
    async renameServer(input) {
      const server = await targets.server(input, t("Rename which server?"));
      if (server !== undefined) await renameServer(server, deps);
    },
    async signOut(input) {
      const isRemote = ({ isLocal, state }: Server) => !isLocal && state.kind !== "signedOut";
      const server = await targets.server(input, t("Sign out of which server?"), isRemote);
      if (server === undefined) return;
      if (server.isLocal) {
        void window.showInformationMessage(
          t("The local backend needs no sign-in. Remove it to stop using it."),
        );
        return;
      }
      // nothing of this window is to notice that the token ends
      server.signOut();
      const rest = await endSignIn(server, deps);
      if (rest !== undefined) void window.showWarningMessage(plainText(rest));
    },
    async removeServer(input) {
      const server = await targets.server(input, t("Remove which server?"));
      if (server !== undefined) await removeServer(server, deps);
    },
    async copyFingerprint(input) {
      const server = await targets.server(input, t("Copy the fingerprint of which server?"));
      const fingerprint = server?.mirror.status?.fingerprint_sha256;
      if (server === undefined) return;
      if (fingerprint === undefined) {
        void window.showInformationMessage(t("{0} has not told its fingerprint yet.", server.name));
        return;
      }
      await env.clipboard.writeText(fingerprint);
      window.setStatusBarMessage(t("Copied the fingerprint of {0}", server.name), 3_000);
    },
    async reviewFingerprint(input) {
      const isChanged = ({ state }: Server) => state.kind === "changed";
      const server = await targets.server(input, t("Review which server?"), isChanged);
      if (server !== undefined) await reviewFingerprint(server);
    },
    async checkConnection(input) {
      const server = await targets.server(input, t("Check the connection to which server?"));
      if (server !== undefined) await checkConnection(server, deps);
    },
  };
}

/**
 * Forgets a sign-in, and ends the token that was made for it, whatever the keyring does. Answers a sentence where
 * something of it lives on.
 */
async function endSignIn(
  server: Server,
  { tokens, fetch }: ServerCommandsDeps,
): Promise<string | undefined> {
  const { key: url, tlsPin } = server;
  const kept = await tokens.kept(url).catch((error: unknown) => RportError.from(error));
  const remains = await tokens.delete(url);
  if (kept instanceof RportError) return stillValid(kept.message);
  const isMade = kept?.made === true;
  const alive = isMade ? await endToken({ url, tlsPin, fetch }, kept) : undefined;
  if (alive !== undefined) return stillValid(alive);
  // what has ended opens nothing, wherever it lies
  if (remains === undefined || isMade) return undefined;
  return t(
    "The keyring of this computer may still have the token: end it on the server if others use this computer. ({0})",
    remains,
  );
}

async function signIn(server: Server, deps: ServerCommandsDeps): Promise<void> {
  if (server.isLocal) server.connect();
  else await signInAgain(server, deps);
}

async function removeServer(server: Server, deps: ServerCommandsDeps): Promise<void> {
  const { fleet, settings } = deps;
  const open = fleet.tunnels.all.filter(({ serverKey }) => serverKey === server.key).length;
  const closes = plural(
    open,
    t("{0} tunnel through it is closed.", open),
    t("{0} tunnels through it are closed.", open),
  );
  const stays = t("Nothing changes on the server and its clients.");
  const remove = t("Remove");
  const chosen = await window.showWarningMessage(
    t("Remove {0}?", server.name),
    { modal: true, detail: open === 0 ? stays : `${stays} ${closes}` },
    remove,
  );
  if (chosen !== remove) return;
  server.disconnect();
  const rest = server.isLocal ? undefined : await endSignIn(server, deps);
  await settings.remove(server.key);
  if (rest !== undefined) void window.showWarningMessage(plainText(rest));
}

async function reviewFingerprint(server: Server): Promise<void> {
  const { state } = server;
  if (state.kind !== "changed") return;
  const accept = t("Trust the New Key");
  const chosen = await window.showWarningMessage(
    t("{0} answers with another key than before.", server.name),
    {
      modal: true,
      detail: [
        t("Before: {0}", state.expected),
        t("Now: {0}", state.actual),
        "",
        t(
          "This is expected after the server was set up anew. If nobody did that, someone may be impersonating it: do not go on.",
        ),
      ].join("\n"),
    },
    accept,
  );
  if (chosen === accept) server.acceptFingerprint(state.actual);
}
