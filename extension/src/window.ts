import { type ExtensionContext, window } from "vscode";
import { arrangingHandlers } from "./commands/arranging/arranging.ts";
import { tagByDrag } from "./commands/arranging/tagByDrag.ts";
import { auditHandlers } from "./commands/audit.ts";
import { clientHandlers } from "./commands/clients.ts";
import { credentialHandlers } from "./commands/credentials.ts";
import { editHandlers } from "./commands/editCredential.ts";
import { generalHandlers } from "./commands/general.ts";
import { identityHandlers } from "./commands/identity.ts";
import { installHandlers } from "./commands/install.ts";
import { joinHandlers } from "./commands/joins.ts";
import { linkHandlers } from "./commands/links/copyLink.ts";
import { takeLinks } from "./commands/links/takeLinks.ts";
import { localHandlers } from "./commands/localBackend/handlers.ts";
import type { LocalCommandsDeps } from "./commands/localBackend/localDeps.ts";
import { noticesOf } from "./commands/notices/notices.ts";
import { whyNotAllowed } from "./commands/people/commandRights.ts";
import { meHandlers } from "./commands/people/me.ts";
import { userHandlers } from "./commands/people/users.ts";
import { UserTargets } from "./commands/people/userTargets.ts";
import { purgeHandlers } from "./commands/purge.ts";
import { whyNotReachable } from "./commands/reach.ts";
import { refusalHandlers } from "./commands/refusals.ts";
import { type Handlers, registerCommands } from "./commands/registry.ts";
import { reportHandlers } from "./commands/reportProblem.ts";
import { revocationHandlers } from "./commands/revocation.ts";
import { rotationHandlers } from "./commands/rotation.ts";
import { serverHandlers } from "./commands/servers/servers.ts";
import { createSheets } from "./commands/sheetsOf.ts";
import { type SshCommandsDeps, sshHandlers } from "./commands/ssh/ssh.ts";
import type { GroupPickDeps } from "./commands/targets/groupPick.ts";
import { Targets } from "./commands/targets/targets.ts";
import { createTerminals } from "./commands/terminals/createTerminals.ts";
import { recordingHandlers } from "./commands/terminals/recordings.ts";
import { terminalHandlers } from "./commands/terminals/terminals.ts";
import { type TypingDeps, typingHandlers } from "./commands/terminals/typeIntoAll.ts";
import { triesHandlers } from "./commands/tries.ts";
import { reopenHandlers } from "./commands/tunnels/reopen.ts";
import { tunnelHandlers } from "./commands/tunnels/tunnels.ts";
import { useHandlers } from "./commands/tunnels/use.ts";
import type { Sheets } from "./install/sheets.ts";
import { Nodes } from "./model/node.ts";
import { createFleet } from "./servers/createFleet.ts";
import type { ClientTarget, CredentialTarget } from "./servers/entities.ts";
import type { Fleet } from "./servers/fleet.ts";
import { createLocal } from "./servers/localBackend/createLocal.ts";
import { recognisedOf } from "./servers/recognised.ts";
import { ServerSettings } from "./servers/settings.ts";
import { Tokens } from "./servers/tokens.ts";
import { onTrustChanged, type Trust, trustOf } from "./servers/trust/trust.ts";
import { createSsh, type Ssh } from "./ssh/createSsh.ts";
import { systemClock } from "./support/clock.ts";
import { processEnvironment } from "./support/environment.ts";
import { createLog, type Log } from "./support/log.ts";
import { Redactor } from "./support/redact.ts";
import { RecentLines } from "./support/report/recentLines.ts";
import type { UnfinishedFiles } from "./terminals/playback/unfinishedFiles.ts";
import { registerLanguageTools } from "./tools/languageTools.ts";
import type { LocalTunnel } from "./tunnels/localTunnel.ts";
import { TunnelSettings } from "./tunnels/tunnelSettings.ts";
import { Arrangements } from "./views/arrangements.ts";
import { AuditDocuments } from "./views/auditDocuments.ts";
import { Documents } from "./views/documents.ts";
import { LastFiles } from "./views/lastShown/folder.ts";
import { Views } from "./views/views.ts";
import { createTunnels, ofTunnels } from "./windowTunnels.ts";

/** The extension in one window of the editor. */
export interface Window {
  readonly sheets: Sheets;
  /** Resolves when what is to outlast the window is written. */
  written(): Promise<void>;
  dispose(): void;
}

/** Builds everything and connects it; the servers connect after this has returned. */
export function createWindow(context: ExtensionContext): Window {
  const channel = window.createOutputChannel("RPort", { log: true });
  const showLog = () => channel.show();
  const redactor = new Redactor();
  const recent = new RecentLines(systemClock);
  const log = createLog(recent.before(channel), redactor);
  const settings = new ServerSettings();
  const tokens = new Tokens({ store: context.secrets, redactor });
  const trust = trustOf(processEnvironment);
  const tunnelSettings = new TunnelSettings();
  const tunnels = createTunnels(context, tunnelSettings, {
    accessTo: (serverKey) => recognisedOf(fleet, serverKey, systemClock),
    ssh: () => ssh,
    clock: systemClock,
    log,
  });
  const fleet: Fleet = createFleet({ log, redactor, settings, tokens, tunnels, trust });
  const ssh: Ssh = createSsh(context, { fleet, clock: systemClock, log });
  const nodes = new Nodes();
  const arrangements = arrangementsOf(context);
  const lastFolder = new LastFiles(context.globalStorageUri.fsPath, log);
  const views = new Views({ fleet, nodes, arrangements, lastFolder, clock: systemClock, log });
  const documents = new Documents({ fleet, nodes, clock: systemClock });
  const audits = new AuditDocuments(fleet);
  const { groups } = views;
  const choosing = { fleet, nodes, groups, now: systemClock.now };
  const targets = new Targets(choosing);
  const reveal = (tunnel: LocalTunnel) => views.revealTunnel(tunnel);
  const ofWindow = createTerminals(context, { ...choosing, targets, reveal, log });
  const { terminals, typing, unfinished } = ofWindow;
  const ofLocal = createLocal(context);
  const { local } = ofLocal;
  const sheets = createSheets(context, { fleet, nodes, views, documents, targets, log, local });
  const told = { showLog, redactor, recent, log, clock: systemClock };
  const shown = { arrangements, views, documents, audits, sheets, terminals, typing, unfinished };
  const known = { ...choosing, targets, settings, tokens, trust };
  const handlers = createHandlers({ ...ofLocal, ...ssh, ...told, ...shown, ...known });
  const registration = register(handlers, { fleet, nodes, views, log, showLog });
  const notices = [
    ...noticesOf({ fleet, local, nodes, arrangements, log }),
    takeLinks({ fleet, nodes, views, log, settings, tokens, fetch: trust.fetch }),
    ...ofTunnels({ fleet, tunnels, settings: tunnelSettings }),
  ];
  const followed = follow(context, { fleet, settings, tokens, trust });
  const tools = registerLanguageTools({ fleet, nodes, sheets, documents, log });
  const parts = [ofWindow, tools, ssh, ...followed, registration, views, documents, audits];
  return {
    sheets,
    written: async () => void (await Promise.all([tunnels.remembered(), ofWindow.written()])),
    dispose() {
      for (const part of [...parts, ...notices, tunnels, fleet, channel]) part.dispose();
    },
  };
}

function arrangementsOf({ workspaceState, globalState }: ExtensionContext): Arrangements {
  return new Arrangements({ workspace: workspaceState, global: globalState });
}

interface FollowDeps {
  readonly trust: Trust;
  readonly fleet: Fleet;
  readonly settings: ServerSettings;
  readonly tokens: Tokens;
}

/** Has the fleet be what the settings say, and connect where somebody signed in in another window. */
function follow({ secrets }: ExtensionContext, { fleet, settings, tokens, trust }: FollowDeps) {
  fleet.configure(settings.read());
  return [
    settings.onChanged(() => fleet.configure(settings.read())),
    onTrustChanged(fleet, trust),
    secrets.onDidChange(({ key }) => {
      const server = fleet.get(tokens.urlOf(key) ?? "");
      if (server?.state.kind === "signedOut") server.connect();
    }),
  ];
}

interface RegistrationDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
  readonly views: Views;
  readonly log: Log;
  readonly showLog: () => void;
}

function register(handlers: Handlers, deps: RegistrationDeps) {
  const { fleet, nodes, views, log, showLog } = deps;
  const inputOf = (serverKey: string) => ({
    node: nodes.get({ kind: "server", serverKey }),
    isKey: false,
  });
  views.tagDropped.add((dropped) => void tagByDrag(dropped, { fleet, inputOf }));
  return registerCommands(handlers, {
    nodes,
    selectionOf: (view) => views.selectionOf(view),
    log,
    showLog,
    whyNotAllowed: (name, input) =>
      whyNotReachable(name, input, fleet) ?? whyNotAllowed(name, input, fleet),
  });
}

interface HandlersDeps extends GroupPickDeps, LocalCommandsDeps, SshCommandsDeps, TypingDeps {
  readonly tokens: Tokens;
  readonly redactor: Redactor;
  readonly recent: RecentLines;
  readonly arrangements: Arrangements;
  readonly views: Views;
  readonly documents: Documents;
  readonly audits: AuditDocuments;
  readonly sheets: Sheets;
  readonly trust: Trust;
  readonly unfinished: UnfinishedFiles;
}

function createHandlers(deps: HandlersDeps): Handlers {
  const { showLog, settings, tokens, fleet, views, documents, audits, targets, sheets } = deps;
  const revealClient = ({ server, client }: ClientTarget) =>
    views.revealClient(server.key, client.id);
  const revealTunnel = (tunnel: LocalTunnel) => views.revealTunnel(tunnel);
  const revealCredential = ({ server, credential }: CredentialTarget) =>
    views.revealCredential(server.key, credential.id);
  const credentials = credentialHandlers({
    targets,
    documents,
    reveal: revealCredential,
    install: (target) => sheets.open(target),
  });
  const { createCredential } = credentials;
  return {
    ...generalHandlers({ fleet, showLog }),
    ...reportHandlers(deps),
    ...serverHandlers({
      fleet,
      settings,
      tokens,
      targets,
      environment: deps.environment,
      ...deps.trust,
      documents,
    }),
    ...localHandlers(deps),
    ...clientHandlers({ targets, documents, reveal: revealClient }),
    ...linkHandlers(targets),
    ...sshHandlers(deps),
    ...arrangingHandlers({ fleet, targets, arrangements: deps.arrangements }),
    ...useHandlers({ targets, sshSettings: deps.sshSettings }),
    ...tunnelHandlers({ fleet, targets, reveal: revealTunnel }),
    ...reopenHandlers({ fleet, targets, reveal: revealTunnel }),
    ...terminalHandlers({ ...deps, reveal: revealTunnel }),
    ...recordingHandlers(deps),
    ...typingHandlers(deps),
    ...credentials,
    ...rotationHandlers({ targets, documents, reveal: revealCredential }),
    ...revocationHandlers({ targets, documents }),
    ...identityHandlers({ targets, reveal: revealClient }),
    ...editHandlers({ targets }),
    ...purgeHandlers(targets),
    ...refusalHandlers(targets),
    ...triesHandlers({ targets, documents }),
    ...joinHandlers(targets),
    ...userHandlers({
      users: new UserTargets({ fleet }),
      refresh: () => views.refreshUsers(),
    }),
    ...meHandlers({ targets }),
    ...auditHandlers({ targets, documents: audits }),
    ...installHandlers({ targets, sheets, createCredential }),
  };
}
