import { t } from "@vscode/l10n";

/** What a command is for, as sentences name it. */
export interface Noun {
  /** With its article: behind "Select" and "is not". */
  readonly a: string;
  readonly one: string;
  readonly many: string;
}

/** Everything that a command can be for. */
export const NOUNS = {
  client: { a: t("a client"), one: t("client"), many: t("clients") },
  onlineClient: { a: t("an online client"), one: t("online client"), many: t("online clients") },
  terminalClient: {
    a: t("an online client that allows terminals"),
    one: t("online client that allows terminals"),
    many: t("online clients that allow terminals"),
  },
  offlineClient: {
    a: t("a client that is offline"),
    one: t("client that is offline"),
    many: t("clients that are offline"),
  },
  pinnedClient: { a: t("a pinned client"), one: t("pinned client"), many: t("pinned clients") },
  revokedClient: {
    a: t("a revoked client"),
    one: t("revoked client"),
    many: t("revoked clients"),
  },
  allowedClient: {
    a: t("a client that may sign in"),
    one: t("client that may sign in"),
    many: t("clients that may sign in"),
  },
  forgettableClient: {
    a: t("an offline client that is not revoked"),
    one: t("offline client that is not revoked"),
    many: t("offline clients that are not revoked"),
  },
  claimedClient: {
    a: t("a client that another host claims to be"),
    one: t("client that another host claims to be"),
    many: t("clients that another host claims to be"),
  },
  returnedClient: {
    a: t("a client that looks like an earlier one"),
    one: t("client that looks like an earlier one"),
    many: t("clients that look like earlier ones"),
  },
  stragglingClient: {
    a: t("a client that must be installed again"),
    one: t("client that must be installed again"),
    many: t("clients that must be installed again"),
  },
  waitingClient: {
    a: t("a client that waits for approval"),
    one: t("client that waits for approval"),
    many: t("clients that wait for approval"),
  },
  credential: { a: t("a credential"), one: t("credential"), many: t("credentials") },
  rotatingCredential: {
    a: t("a credential that is being rotated"),
    one: t("credential that is being rotated"),
    many: t("credentials that are being rotated"),
  },
  secret: { a: t("a secret"), one: t("secret"), many: t("secrets") },
  pairing: { a: t("an open pairing"), one: t("open pairing"), many: t("open pairings") },
  tunnel: { a: t("a tunnel"), one: t("tunnel"), many: t("tunnels") },
  webTunnel: {
    a: t("an open tunnel to a web service"),
    one: t("open tunnel to a web service"),
    many: t("open tunnels to web services"),
  },
  closedTunnel: {
    a: t("a tunnel that is not open"),
    one: t("tunnel that is not open"),
    many: t("tunnels that are not open"),
  },
} as const satisfies Readonly<Record<string, Noun>>;
