import { generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { pinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { selfSigned } from "../../../backend/src/tls/selfSigned.ts";

const DAY_MS = 86_400_000;

/** A certificate for this machine, which is its own authority. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly pin: TlsPin;
}

/** How it differs from one that is good for a year. */
export interface CertificateDates {
  readonly fromDays?: number;
  readonly toDays?: number;
}

/** Makes one, of a new key. */
export function testCertificate({
  fromDays = -1,
  toDays = 365,
}: CertificateDates = {}): TestCertificate {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const serial = randomBytes(16);
  // Each is called otherwise: among several of one name Node finds only the first.
  const own = `test-${serial.toString("hex").slice(0, 8)}`;
  const certificate = selfSigned({
    key,
    names: [own, "localhost", "127.0.0.1", "::1"],
    serial,
    validFrom: new Date(Date.now() + fromDays * DAY_MS),
    expiresAt: new Date(Date.now() + toDays * DAY_MS),
  });
  const text = key.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate, key: text, pin: pinOf(new X509Certificate(certificate)) };
}

/** Where a certificate and its key are, as settings name them. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Puts both into a folder, each at once, as programs do that renew certificates. */
export async function writeCertificate(
  folder: string,
  { certificate, key }: Pick<TestCertificate, "certificate" | "key">,
): Promise<CertificateFiles> {
  const certFile = join(folder, "server.crt");
  const keyFile = join(folder, "server.key");
  await replace(keyFile, key, 0o600);
  await replace(certFile, certificate, 0o644);
  return { certFile, keyFile };
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}

/** Until the end of the scope this process trusts these, too, wherever it connects. */
export function trusting(...certificates: readonly TestCertificate[]): Disposable {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, ...certificates.map(({ certificate }) => certificate)]);
  return { [Symbol.dispose]: () => setDefaultCACertificates(before) };
}
