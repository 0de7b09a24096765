import { readFile } from "node:fs/promises";
import tls from "node:tls";

/** Where Linux distributions keep the machine's certificates, most usual first. */
const STORES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;
const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
/** The largest stores have about half a megabyte. */
const STORE_MAX_CHARACTERS = 16 << 20;

/** Names of variables that say whom to trust, as OpenSSL, curl and Node read them. */
export interface TrustEnvironment {
  readonly SSL_CERT_FILE?: string | undefined;
  readonly NODE_EXTRA_CA_CERTS?: string | undefined;
}

/**
 * Whom this machine trusts to vouch for servers: the system's store, or the file that
 * `SSL_CERT_FILE` names in its place, and what `NODE_EXTRA_CA_CERTS` adds. It is what curl and
 * RPort's client trust, and the same for every build of the agent, whatever its runtime would do.
 * Read anew each time, because stores change. Undefined where a machine has no store: then the
 * runtime's own list counts. Never rejects.
 */
export async function trustedAuthorities(
  environment: TrustEnvironment = process.env,
  stores: readonly string[] = STORES,
): Promise<string[] | undefined> {
  const { SSL_CERT_FILE: named = "", NODE_EXTRA_CA_CERTS: extra = "" } = environment;
  const store = await firstStore(named === "" ? stores : [named, ...stores]);
  if (store === undefined) return undefined;
  const added = extra === "" ? undefined : await certificatesIn(extra);
  return added === undefined ? store : [...store, ...added];
}

async function firstStore(files: readonly string[]): Promise<string[] | undefined> {
  for (const file of files) {
    const found = await certificatesIn(file);
    if (found !== undefined) return found;
  }
  return process.platform === "linux" ? undefined : platformStore();
}

/** One text of many certificates is what TLS takes as well as many texts. */
async function certificatesIn(file: string): Promise<string[] | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.length <= STORE_MAX_CHARACTERS && CERTIFICATE.test(text) ? [text] : undefined;
}

/** Windows and macOS keep theirs in no file; Node reads them from version 22.15 on. */
function platformStore(): string[] | undefined {
  const read: typeof tls.getCACertificates | undefined = tls.getCACertificates;
  return read === undefined ? undefined : [...read("default"), ...read("system")];
}
