import type { CertificateView } from "@rport/protocol/serverStatus";
import type { HandshakeCounts } from "../tls/handshakes.ts";
import { byLabel, type Figure } from "./figure.ts";

/** Where the figures about TLS come from. */
export interface TlsSources {
  readonly certificates: () => readonly CertificateView[];
  readonly handshakes: Readonly<HandshakeCounts>;
}

/** Figures about certificates, and the handshakes with them. */
export function tlsFigures({ certificates, handshakes }: TlsSources): readonly Figure[] {
  return [
    byLabel("section", {
      kind: "gauge",
      name: "certificate_days_left",
      help: "Days until the certificate expires that TLS is spoken with; none where no TLS is spoken.",
      read: () => certificates().map(({ section, days_left: days }) => [section, days]),
    }),
    byLabel("result", {
      kind: "counter",
      name: "tls_handshakes_total",
      help: "TLS handshakes, by what came of them; plain: what came was no TLS.",
      read: () => Object.entries(handshakes),
    }),
  ];
}
