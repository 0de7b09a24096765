import { readNamedSync } from "@rport/protocol/local/smallFile";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { readSecretFile } from "../platform/secretFile.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { type CertificatePair, PairFault, parsePair, requireInForce } from "./certificatePair.ts";
import { FileWatch } from "./fileWatch.ts";

const DAY_MS = 86_400_000;
/** From then on each day says how long the certificate is still valid. */
const WARN_DAYS = 14;
const MAX_BYTES = 1_048_576;

/** The files of a certificate, and how messages name them. */
export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The section of the settings that says so. */
  readonly section: "server" | "api";
  /** The server made them itself, so no setting names them. */
  readonly isOwn: boolean;
}

/** What keeping a certificate needs. */
export interface CertificatesDeps {
  readonly files: PairFiles;
  readonly clock: Pick<Clock, "now" | "after">;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** Asked once a day, before the files are looked at: makes a new certificate where one is due. */
  readonly renew?: (() => Promise<void>) | undefined;
}

/**
 * The certificate of an address, as its files are: a new one takes its place when it changes, unless
 * something is wrong with it. Then the log says what, and the one in use stays.
 */
export class Certificates {
  readonly #deps: CertificatesDeps;
  readonly #watch: FileWatch;
  readonly #followers: (() => void)[] = [];
  #pair: CertificatePair;
  #daily: Timer;

  /** Reads the files. Throws a `StartFailure` that names the setting, and what is wrong. */
  constructor(deps: CertificatesDeps) {
    this.#deps = deps;
    this.#pair = readPair(deps.files);
    const { clock, log, files } = deps;
    this.#watch = new FileWatch([files.certFile, files.keyFile], {
      clock,
      onChange: () => this.look(),
      onDeaf: (directory, error) =>
        log.warn("a new certificate there is noticed at SIGHUP and once a day only", {
          directory,
          reason: errorText(error),
        }),
    });
    this.#tell("the certificate");
    this.#tellValidity();
    this.#daily = clock.after(DAY_MS, () => void this.#lookDaily());
  }

  /** The one in use. */
  get pair(): CertificatePair {
    return this.#pair;
  }

  /** The section of the settings that names it. */
  get section(): PairFiles["section"] {
    return this.#deps.files.section;
  }

  /** Whole days until it expires; negative when it has. */
  get daysLeft(): number {
    return Math.floor((this.#pair.expiresAtMs - this.#deps.clock.now()) / DAY_MS);
  }

  /** Calls `onNew` after each new one. */
  follow(onNew: () => void): void {
    this.#followers.push(onNew);
  }

  /** Looks at the files now. */
  look(): void {
    const { files, clock, log } = this.#deps;
    this.#watch.renew();
    try {
      const pair = readPair(files);
      if (isSame(pair, this.#pair)) return;
      requireInForce(pair, clock.now());
      this.#pair = pair;
    } catch (error) {
      const reason = errorText(error);
      log.error("the new certificate is not used, the one before stays", { reason });
      return;
    }
    for (const follower of this.#followers) follower();
    this.#tell("a new certificate is used from now on");
    this.#tellValidity();
  }

  /** Looks no more. */
  close(): void {
    this.#daily.cancel();
    this.#watch.close();
  }

  async #lookDaily(): Promise<void> {
    const { clock, log, renew } = this.#deps;
    this.#daily = clock.after(DAY_MS, () => void this.#lookDaily());
    if (renew !== undefined) {
      await renew().catch((error: unknown) =>
        log.error("the certificate cannot be renewed", { reason: errorText(error) }),
      );
    }
    this.look();
    this.#tellValidity();
  }

  #tell(message: string): void {
    const { pin, names, expiresAtMs } = this.#pair;
    const { certFile } = this.#deps.files;
    const expires = new Date(expiresAtMs).toISOString();
    this.#deps.log.info(message, { file: certFile, names, expires, pin });
  }

  #tellValidity(): void {
    const { clock, log, files } = this.#deps;
    const fields = { file: files.certFile, days: this.daysLeft };
    try {
      requireInForce(this.#pair, clock.now());
      if (this.daysLeft < WARN_DAYS) log.warn("the certificate expires soon", fields);
    } catch (error) {
      log.error("who checks the certificate refuses it", { ...fields, reason: errorText(error) });
    }
  }
}

function readPair({ certFile, keyFile, section, isOwn }: PairFiles): CertificatePair {
  const settingOf = (key: string): string => `${section}.${isOwn ? "tls" : key}`;
  const certSetting = settingOf("cert_file");
  const key = readSecretFile(keyFile, settingOf("key_file"));
  const certificate = readCertificate(certFile, certSetting);
  try {
    return parsePair(certificate, key);
  } catch (error) {
    if (!(error instanceof PairFault)) throw error;
    const text = `${certSetting}: ${certFile} with ${keyFile}: ${error.message}.`;
    throw new StartFailure("configuration", text);
  }
}

function readCertificate(path: string, setting: string): string {
  try {
    const bytes = readNamedSync(path, MAX_BYTES);
    if (bytes === undefined) throw new Error("it is too large");
    return bytes.toString("utf8");
  } catch (error) {
    throw new StartFailure(
      "configuration",
      `${setting}: ${path} cannot be used: ${errorText(error)}`,
    );
  }
}

function isSame(one: CertificatePair, other: CertificatePair): boolean {
  return one.certificate === other.certificate && one.key === other.key;
}
