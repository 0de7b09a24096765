import type { SecureVersion } from "node:tls";

/** Oldest version of TLS that is spoken. */
export type OldestTls = Extract<SecureVersion, "TLSv1.2" | "TLSv1.3">;

/** A certificate of one's own. */
export interface TlsFiles {
  readonly kind: "files";
  readonly certFile: string;
  readonly keyFile: string;
  /** The section whose keys name them, for messages. */
  readonly section: "server" | "api";
  readonly oldest: OldestTls;
}

/** One that the server makes, which is recognised by the pin of its key. */
export interface TlsSelfSigned {
  readonly kind: "selfSigned";
  readonly oldest: OldestTls;
}

/** Where the certificate of an address comes from. */
export type TlsSource = TlsFiles | TlsSelfSigned;

/** An address, as far as TLS is concerned. */
export interface TlsPlace {
  /** Absent: plain HTTP is spoken there. */
  readonly tls?: TlsSource | undefined;
}
