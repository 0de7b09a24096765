import { X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { SECTION, SETTINGS } from "../../manifest.ts";
import { describeFileError } from "./fileError.ts";

/** All authorities that systems come with have a quarter of it. */
const FILE_MAX_BYTES = 1 << 20;
/** More certificates are in no file of authorities, and each is looked at. */
const CERTIFICATES_MAX = 1_000;
/** Opening a pipe does not wait for whoever writes to it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]*-----END CERTIFICATE-----/g;

/** A file of certificates as it was read, with what tells whether it has been changed since. */
export interface AuthorityFile {
  /** Each as PEM. */
  readonly certificates: readonly string[];
  readonly mark: string;
}

/** The full path that the setting means; a `~` at its beginning is the person's home. Throws `BAD_REQUEST`. */
export function authorityPath(setting: string, homeDirectory: string): string {
  const path = /^~[/\\]/.test(setting) ? join(homeDirectory, setting.slice(2)) : setting;
  if (!isAbsolute(path)) throw wrong(setting, t("it is not a full path"));
  return path;
}

/**
 * Reads certificates from a PEM file, unless it is the one that was read `before`, which is the answer then. Throws
 * `BAD_REQUEST` with the setting, the path, and what is wrong with it.
 */
export async function readAuthorities(
  path: string,
  before?: AuthorityFile,
): Promise<AuthorityFile> {
  await using file = await open(path, FLAGS).catch((error: unknown) => {
    throw wrong(path, describeFileError(error));
  });
  const facts = await file.stat();
  if (!facts.isFile()) throw wrong(path, t("it is not a file"));
  if (facts.size > FILE_MAX_BYTES) throw wrong(path, t("it has more than {0} MB", 1));
  const mark = [facts.ino, facts.size, facts.mtimeMs, facts.ctimeMs].join(" ");
  if (mark === before?.mark) return before;
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(facts.size) });
  const text = buffer.toString("latin1", 0, bytesRead);
  return { certificates: certificatesIn(text, path), mark };
}

function certificatesIn(text: string, path: string): readonly string[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw wrong(
      path,
      t("there is no certificate in it that begins with -----BEGIN CERTIFICATE-----"),
    );
  }
  if (found.length > CERTIFICATES_MAX) {
    throw wrong(path, t("there are more than {0} certificates in it", CERTIFICATES_MAX));
  }
  const bad = found.findIndex((pem) => !isCertificate(pem));
  if (bad >= 0) throw wrong(path, t("certificate {0} in it cannot be read", bad + 1));
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function wrong(path: string, why: string): RportError {
  const setting = `${SECTION}.${SETTINGS.caFile}`;
  const title = t("The setting {0} names {1}, which cannot be used: {2}.", setting, path, why);
  return new RportError("BAD_REQUEST", title);
}
