import { RportError } from "@rport/protocol/errors";
import type { ServerStatus } from "@rport/protocol/model";
import { env, ProgressLocation, window } from "vscode";
import { type Access, bearer } from "../api/access.ts";
import { Api } from "../api/http.ts";
import { baseUrlOf, isLoopback, LOCAL_URL } from "../servers/config.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ServerSettings } from "../servers/settings.ts";
import type { Tokens } from "../servers/tokens.ts";
import type { Handlers } from "./registry.ts";
import type { Targets } from "./targets.ts";

/** What the commands on servers need. */
export interface ServerCommandsDeps {
  readonly fleet: Fleet;
  readonly settings: ServerSettings;
  readonly tokens: Tokens;
  readonly targets: Targets;
  readonly fetch: typeof fetch;
}

/** Commands that a server is the object of. */
export type ServerHandlers = Pick<
  Handlers,
  | "addServer"
  | "useLocalBackend"
  | "signIn"
  | "signOut"
  | "removeServer"
  | "copyFingerprint"
  | "reviewFingerprint"
>;

/** Adding, signing in to and out of, and removing servers. */
export function serverHandlers(deps: ServerCommandsDeps): ServerHandlers {
  const { targets, settings, tokens } = deps;
  return {
    addServer: () => addServer(deps),
    async useLocalBackend() {
      await settings.put({ name: "Local Backend", url: LOCAL_URL, fingerprint: "" });
    },
    async signIn(input) {
      const isOpen = ({ isLocal, state }: Server) => !isLocal && state.kind !== "connected";
      const server = await targets.server(input, "Sign in to which server?", isOpen);
      if (server === undefined) return;
      if (server.isLocal) server.connect();
      else await signIn(server, deps);
    },
    async signOut(input) {
      const isRemote = ({ isLocal, state }: Server) => !isLocal && state.kind !== "signedOut";
      const server = await targets.server(input, "Sign out of which server?", isRemote);
      if (server === undefined) return;
      if (server.isLocal) {
        void window.showInformationMessage(
          "The local backend needs no sign-in. Remove it to stop using it.",
        );
        return;
      }
      await tokens.delete(server.key);
      deps.fleet.tunnels.closeOf(server.key);
      server.signOut();
    },
    async removeServer(input) {
      const server = await targets.server(input, "Remove which server?");
      if (server !== undefined) await removeServer(server, deps);
    },
    async copyFingerprint(input) {
      const server = await targets.server(input, "Copy the fingerprint of which server?");
      const fingerprint = server?.mirror.status?.fingerprint_sha256;
      if (server === undefined) return;
      if (fingerprint === undefined) {
        void window.showInformationMessage(`${server.name} has not told its fingerprint yet.`);
        return;
      }
      await env.clipboard.writeText(fingerprint);
      window.setStatusBarMessage(`Copied the fingerprint of ${server.name}`, 3_000);
    },
    async reviewFingerprint(input) {
      const isChanged = ({ state }: Server) => state.kind === "changed";
      const server = await targets.server(input, "Review which server?", isChanged);
      if (server !== undefined) await reviewFingerprint(server);
    },
  };
}

async function addServer(deps: ServerCommandsDeps): Promise<void> {
  const text = await window.showInputBox({
    title: "Add Server (1/2)",
    prompt: "Address of the server",
    placeHolder: "https://relay.example.com",
    ignoreFocusOut: true,
    validateInput: (value) =>
      value === "" || baseUrlOf(value) !== undefined
        ? undefined
        : "This is not an http or https address.",
  });
  const url = text === undefined ? undefined : baseUrlOf(text);
  if (url === undefined) return;
  const token = await askToken(`Add Server (2/2)`, url);
  if (token === undefined) return;
  const status = await statusOf({ url, token, fetch: deps.fetch });
  const { host } = new URL(url);
  if (!(await confirmServer(host, url, status))) return;
  await keep(url, token, deps.tokens);
  // one that is known already does not connect by itself when its setting changes
  const known = deps.fleet.get(url);
  await deps.settings.put({ name: host, url, fingerprint: status.fingerprint_sha256 });
  known?.connect();
}

async function signIn(server: Server, deps: ServerCommandsDeps): Promise<void> {
  const token = await askToken(`Sign In to ${server.name}`, server.key);
  if (token === undefined) return;
  await statusOf({ url: server.key, token, fetch: deps.fetch });
  await keep(server.key, token, deps.tokens);
  server.connect();
}

function askToken(title: string, url: string): Thenable<string | undefined> {
  return window
    .showInputBox({
      title,
      prompt: `API token for ${url}. It is kept in the editor's secret store.`,
      password: true,
      ignoreFocusOut: true,
      validateInput: (value) => (/\s/.test(value.trim()) ? "A token has no spaces." : undefined),
    })
    .then((value) => value?.trim() || undefined);
}

/** Asks the server who it is, which also tries the token. */
async function statusOf(given: {
  url: string;
  token: string;
  fetch: typeof fetch;
}): Promise<ServerStatus> {
  const { url, token, fetch } = given;
  const access: Access = { kind: "ready", url, authorization: bearer(token) };
  const api = new Api({ access: async () => access, fetch });
  const { host } = new URL(url);
  const title = `Connecting to ${host}\u2026`;
  try {
    return await window.withProgress({ location: ProgressLocation.Window, title }, () =>
      api.call("getStatus"),
    );
  } catch (error) {
    if (!(error instanceof RportError) || error.code !== "UNAUTHORIZED") throw error;
    throw new RportError("UNAUTHORIZED", `${host} does not accept this token.`, { cause: error });
  }
}

async function confirmServer(host: string, url: string, status: ServerStatus): Promise<boolean> {
  const isClear = url.startsWith("http:") && !isLoopback(url);
  const warning = isClear
    ? "\n\nThe connection is not encrypted: anybody on the way can read the token and act as you."
    : "";
  const add = "Add Server";
  const chosen = await window.showInformationMessage(
    `Add ${host}?`,
    {
      modal: true,
      detail: `Its key has the fingerprint\n${status.fingerprint_sha256}\n\nAgents you install will trust this key only.${warning}`,
    },
    add,
  );
  return chosen === add;
}

async function keep(url: string, token: string, tokens: Tokens): Promise<void> {
  if ((await tokens.set(url, token)) === "kept") return;
  void window.showWarningMessage(
    "This computer has no secret store, so you stay signed in only until this window closes.",
  );
}

async function removeServer(
  server: Server,
  { fleet, settings, tokens }: ServerCommandsDeps,
): Promise<void> {
  const open = fleet.tunnels.all.filter(({ serverKey }) => serverKey === server.key).length;
  const closes = open === 0 ? "" : ` ${open} tunnels through it are closed.`;
  const remove = "Remove";
  const chosen = await window.showWarningMessage(
    `Remove ${server.name}?`,
    { modal: true, detail: `Nothing changes on the server and its clients.${closes}` },
    remove,
  );
  if (chosen !== remove) return;
  if (!server.isLocal) await tokens.delete(server.key);
  await settings.remove(server.key);
}

async function reviewFingerprint(server: Server): Promise<void> {
  const { state } = server;
  if (state.kind !== "changed") return;
  const accept = "Trust the New Key";
  const chosen = await window.showWarningMessage(
    `${server.name} answers with another key than before.`,
    {
      modal: true,
      detail: `Before: ${state.expected}\nNow: ${state.actual}\n\nThis is expected after the server was set up anew. If nobody did that, someone may be impersonating it: do not go on.`,
    },
    accept,
  );
  if (chosen === accept) server.acceptFingerprint(state.actual);
}
