/**
 * The ids that `package.json` contributes. A test walks the manifest and fails when the two differ,
 * so an id is written here and there, and nowhere else.
 */

/** Commands by what they do; the id is what the manifest says. */
export const COMMANDS = {
  addServer: "rport.server.add",
  useLocalBackend: "rport.server.useLocal",
  startLocalBackend: "rport.local.start",
  stopLocalBackend: "rport.local.stop",
  restartLocalBackend: "rport.local.restart",
  chooseLocalAddress: "rport.local.chooseAddress",
  showLocalLog: "rport.local.showLog",
  signIn: "rport.server.signIn",
  signOut: "rport.server.signOut",
  signInAgain: "rport.server.signInAgain",
  renameServer: "rport.server.rename",
  removeServer: "rport.server.remove",
  copyFingerprint: "rport.server.copyFingerprint",
  reviewFingerprint: "rport.server.reviewFingerprint",
  refresh: "rport.refresh",
  checkConnection: "rport.server.check",
  showWalkthrough: "rport.showWalkthrough",
  retryNow: "rport.retryNow",
  filterClients: "rport.clients.filter",
  clearFilter: "rport.clients.clearFilter",
  groupClients: "rport.clients.groupBy",
  sortClients: "rport.clients.sortBy",
  showOfflineClients: "rport.clients.showOffline",
  hideOfflineClients: "rport.clients.hideOffline",
  pinClient: "rport.client.pin",
  unpinClient: "rport.client.unpin",
  renameClient: "rport.client.rename",
  editTags: "rport.client.editTags",
  installClient: "rport.client.install",
  goToClient: "rport.client.goTo",
  showDetails: "rport.client.showDetails",
  showWhyOffline: "rport.client.whyOffline",
  copyClientName: "rport.client.copyName",
  copyClientId: "rport.client.copyId",
  copyClientAddress: "rport.client.copyAddress",
  copyClientLink: "rport.client.copyLink",
  forgetClient: "rport.client.forget",
  installAgain: "rport.client.installAgain",
  revokeClient: "rport.client.revoke",
  showTries: "rport.client.showTries",
  allowClient: "rport.client.allow",
  adoptRecord: "rport.client.moveRecord",
  showDuplicate: "rport.client.showDuplicate",
  showEarlier: "rport.client.showEarlier",
  openTerminal: "rport.client.openTerminal",
  openGroupTerminals: "rport.clients.openTerminals",
  typeIntoAll: "rport.terminal.typeIntoAll",
  stopTypingIntoAll: "rport.terminal.stopTypingIntoAll",
  playRecording: "rport.terminal.playRecording",
  saveRecording: "rport.terminal.saveRecording",
  openTunnel: "rport.client.openTunnel",
  setUpSsh: "rport.ssh.setUp",
  removeSsh: "rport.ssh.remove",
  connectSsh: "rport.client.connectSsh",
  connectSshNewWindow: "rport.client.connectSshNewWindow",
  copySshCommand: "rport.client.copySshCommand",
  setSshUser: "rport.client.setSshUser",
  reopenTunnel: "rport.tunnel.reopen",
  reopenAllTunnels: "rport.tunnel.reopenAll",
  forgetTunnel: "rport.tunnel.forget",
  closeTunnel: "rport.tunnel.close",
  closeAllTunnels: "rport.tunnel.closeAll",
  copyTunnelAddress: "rport.tunnel.copyAddress",
  copyTunnelLink: "rport.tunnel.copyLink",
  copyTunnelCommand: "rport.tunnel.copyCommand",
  openTunnelInBrowser: "rport.tunnel.openInBrowser",
  openTunnelInSimpleBrowser: "rport.tunnel.openInSimpleBrowser",
  createCredential: "rport.credential.create",
  rotateCredential: "rport.credential.rotate",
  finishRotation: "rport.credential.finishRotation",
  cancelRotation: "rport.credential.cancelRotation",
  editCredential: "rport.credential.edit",
  purgeUnused: "rport.credential.purgeUnused",
  revokeSecret: "rport.secret.revoke",
  approveJoin: "rport.join.approve",
  denyJoin: "rport.join.deny",
  clearRefusals: "rport.refusals.clear",
  deleteCredential: "rport.credential.delete",
  copyAuthId: "rport.credential.copyId",
  revokePairing: "rport.pairing.revoke",
  showAudit: "rport.audit.show",
  filterAudit: "rport.audit.filter",
  moreAudit: "rport.audit.more",
  refreshAudit: "rport.audit.refresh",
  inviteUser: "rport.user.invite",
  editUserGroups: "rport.user.editGroups",
  disableUser: "rport.user.disable",
  enableUser: "rport.user.enable",
  endUserAccess: "rport.user.endAccess",
  resetSecondFactor: "rport.user.resetSecondFactor",
  rotateKnown: "rport.user.rotateKnown",
  endInvitation: "rport.invitation.end",
  manageTokens: "rport.me.tokens",
  setUpSecondFactor: "rport.me.secondFactor",
  changePassword: "rport.me.password",
  showLog: "rport.showLog",
  reportProblem: "rport.reportProblem",
  openSettings: "rport.openSettings",
} as const;

/** What a command does, as the handlers are named. */
export type CommandName = keyof typeof COMMANDS;

/** The trees. */
export const VIEWS = {
  clients: "rport.clients",
  credentials: "rport.credentials",
  tunnels: "rport.tunnels",
  users: "rport.users",
} as const;

/** Context keys that `when` clauses of the manifest may name. */
export const CONTEXT_KEYS = {
  hasServer: "rport.hasServer",
  hasLocalServer: "rport.hasLocalServer",
  hasRemoteServer: "rport.hasRemoteServer",
  localRunning: "rport.localRunning",
  usualLocalRunning: "rport.usualLocalRunning",
  connected: "rport.connected",
  away: "rport.away",
  administrator: "rport.administrator",
  notAdministrator: "rport.notAdministrator",
  mayTunnel: "rport.mayTunnel",
  mayAudit: "rport.mayAudit",
  managesUsers: "rport.managesUsers",
  hasAccount: "rport.hasAccount",
  refused: "rport.refused",
  connecting: "rport.connecting",
  everConnected: "rport.everConnected",
  signedOut: "rport.signedOut",
  unreachable: "rport.unreachable",
  localNotRunning: "rport.localNotRunning",
  fingerprintChanged: "rport.fingerprintChanged",
  noClients: "rport.noClients",
  noCredentials: "rport.noCredentials",
  hasCredential: "rport.hasCredential",
  hasClient: "rport.hasClient",
  rotatedOnce: "rport.rotatedOnce",
  hasDuplicates: "rport.hasDuplicates",
  hasLooksLike: "rport.hasLooksLike",
  hasStragglers: "rport.hasStragglers",
  hasRevoked: "rport.hasRevoked",
  hasRotation: "rport.hasRotation",
  hasRefusals: "rport.hasRefusals",
  hasJoins: "rport.hasJoins",
  hasTunnels: "rport.hasTunnels",
  hasOpenTunnels: "rport.hasOpenTunnels",
  hasClosedTunnels: "rport.hasClosedTunnels",
  clientsFiltered: "rport.clientsFiltered",
  filterAsked: "rport.filterAsked",
  hasPinned: "rport.hasPinned",
  noMatches: "rport.noMatches",
  offlineHidden: "rport.offlineHidden",
  onlyHidden: "rport.onlyHidden",
} as const;

/** The name of a context key. */
export type ContextKey = keyof typeof CONTEXT_KEYS;

/** Settings, below `SECTION`. */
export const SETTINGS = {
  servers: "servers",
  statusBarVisible: "statusBar.visible",
  showOffline: "clients.showOffline",
  clientParts: "clients.description",
  warnAfterDays: "credentials.warnAfterDays",
  graceHours: "credentials.graceHours",
  clientStatus: "notifications.clientStatus",
  confirmClose: "confirm.closeTunnel",
  aiTools: "ai.tools",
  restoreTunnels: "tunnels.restore",
  rememberTunnels: "tunnels.remember",
  bindAddress: "tunnels.bindAddress",
  browserNames: "tunnels.browserNames",
  caFile: "tls.caFile",
  idleTimeout: "tunnels.idleTimeoutMinutes",
  sshEnabled: "ssh.enabled",
  sshUser: "ssh.user",
  sshUsers: "ssh.users",
  sshConfigFile: "ssh.configFile",
  shellIntegration: "terminals.shellIntegration",
} as const;

/** Publisher and name, by which the editor and links know the extension. */
export const EXTENSION_ID = "rport.rport";

/** The walkthrough, as the editor calls it. */
export const WALKTHROUGH = `${EXTENSION_ID}#start`;

/** The prefix of every setting. */
export const SECTION = "rport";

/** What the editor's list of terminals has for those of hosts. */
export const TERMINAL_PROFILE = "rport.terminal";

/** The type of the install sheet's tab, which is restored after a reload. */
export const SHEET_VIEW_TYPE = "rport.installSheet";

/** Read-only documents: host details and the installer's script. */
export const DOCUMENT_SCHEME = "rport";

/** The audit log of a server, as a read-only document. */
export const AUDIT_SCHEME = "rport-audit";

/** The language of that document. */
export const AUDIT_LANGUAGE = "rport-audit";

/** The status bar item; end-to-end tests find it by this id. */
export const STATUS_ITEM_ID = "rport.status";

/** The status bar item that is there while what is typed goes to several hosts. */
export const TYPING_ITEM_ID = "rport.typingIntoAll";
