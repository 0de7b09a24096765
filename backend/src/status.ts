import type { AgentTargets, CertificateView, ServerStatus } from "@rport/protocol/serverStatus";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { VERSION } from "@rport/protocol/version";

/** What the status is made of. */
export interface StatusFacts {
  readonly counts: { readonly connected: number; readonly disconnected: number };
  readonly connections: { readonly open: number; readonly max: number; readonly refused: number };
  /** SHA-256 and MD5 form. */
  readonly fingerprints: { readonly sha256: string; readonly md5: string };
  /** Where agents reach this server. */
  readonly serverUrls: readonly string[];
  /** Who gets through to the address that agents use. */
  readonly listensTo?: ServerStatus["listens_to"] | undefined;
  /** Fewest characters of a typed client password. */
  readonly passwordMinLength: number;
  /** For which machines there is an agent to fetch. */
  readonly agentTargets: AgentTargets;
  /** What TLS is spoken with. */
  readonly certificates?: readonly CertificateView[] | undefined;
  /** What hosts recognise the server by that come by TLS. */
  readonly tlsPin?: TlsPin | undefined;
}

/** Facts about the server, in RPort's field names. */
export function serverStatus({
  counts,
  connections,
  fingerprints,
  serverUrls,
  listensTo,
  passwordMinLength,
  agentTargets,
  certificates = [],
  tlsPin,
}: StatusFacts): ServerStatus {
  return {
    version: VERSION,
    clients_connected: counts.connected,
    clients_disconnected: counts.disconnected,
    connections: { ...connections },
    fingerprint: fingerprints.md5,
    fingerprint_sha256: fingerprints.sha256,
    connect_url: [...serverUrls],
    listens_to: listensTo,
    pairing_url: serverUrls[0] ?? "",
    clients_auth_source: "File",
    clients_auth_mode: "Read Write",
    client_auth_password_min_length: passwordMinLength,
    agent_targets: agentTargets,
    certificates: [...certificates],
    tls_pin: tlsPin,
  };
}
