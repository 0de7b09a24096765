import type { OldestTls, TlsSource } from "../tls/tlsSource.ts";
import { wrongSetting } from "./check.ts";
import type { Settings } from "./settings.ts";

/** Where the certificates of the addresses come from; undefined: plain HTTP is spoken there. */
export interface TlsSettings {
  readonly server: TlsSource | undefined;
  readonly api: TlsSource | undefined;
}

type Section = "server" | "api";

/**
 * What is spoken where. People on an address of their own have the server's certificate unless `[api]`
 * names another. Fails with a `StartFailure` where something is missing, or would have no effect.
 */
export function tlsSettings({
  server,
  api,
  pairing,
}: Pick<Settings, "server" | "api" | "pairing">): TlsSettings {
  const ofServer = ownSource(server) ?? filesOf("server", server);
  if (ofServer?.kind === "selfSigned" && pairing?.service === "rport-pairing") {
    throw wrongSetting(
      'server.tls = "self-signed" and pairing.service = "rport-pairing": RPort\'s client knows no pin and would refuse this server.',
    );
  }
  requireEffect("server", server, ofServer);
  const files = filesOf("api", api);
  if (api?.address !== undefined) {
    const ofApi = files ?? inherited(ofServer, api.tls_min);
    requireEffect("api", api, ofApi);
    return { server: ofServer, api: ofApi };
  }
  if (files === undefined && api?.tls_min === undefined) return { server: ofServer, api: ofServer };
  const keys = files === undefined ? "tls_min" : "cert_file and key_file";
  throw wrongSetting(
    `api.${keys}: people and agents share one address here. Say it under [server], or set api.address.`,
  );
}

function ownSource(server: Settings["server"]): TlsSource | undefined {
  if (server?.tls === undefined) return undefined;
  if (server.trusted_proxies !== undefined) {
    throw wrongSetting(
      "server.tls = \"self-signed\" and server.trusted_proxies: hosts would pin this server's key and meet the proxy's. Take one of them out.",
    );
  }
  if (server.cert_file === undefined && server.key_file === undefined) {
    return { kind: "selfSigned", oldest: oldestOf(server.tls_min) };
  }
  throw wrongSetting(
    'server.tls = "self-signed" makes a certificate: take server.cert_file and server.key_file out, or server.tls.',
  );
}

function filesOf(section: Section, given: Settings[Section]): TlsSource | undefined {
  const { cert_file: certFile, key_file: keyFile, tls_min: least } = given ?? {};
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw wrongSetting(`${section}.cert_file and ${section}.key_file go together: one is missing.`);
  }
  return { kind: "files", certFile, keyFile, section, oldest: oldestOf(least) };
}

function inherited(
  source: TlsSource | undefined,
  least: "1.2" | "1.3" | undefined,
): TlsSource | undefined {
  if (source === undefined || least === undefined) return source;
  return { ...source, oldest: oldestOf(least) };
}

function requireEffect(
  section: Section,
  given: Settings[Section],
  source: TlsSource | undefined,
): void {
  if (source !== undefined || given?.tls_min === undefined) return;
  throw wrongSetting(
    `${section}.tls_min has no effect: no TLS is spoken at that address. Set ${section}.cert_file and ${section}.key_file, or take the line out.`,
  );
}

function oldestOf(least: "1.2" | "1.3" | undefined): OldestTls {
  return least === "1.3" ? "TLSv1.3" : "TLSv1.2";
}
