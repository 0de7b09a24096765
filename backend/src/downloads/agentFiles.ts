import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import type { AgentTargets } from "@rport/protocol/model";
import { type ManifestSignature, signManifest } from "@rport/protocol/wire/manifestSignature";
import { errorText, type Log } from "../platform/log.ts";
import { entryOf, LICENCES, type Manifest, manifestSchema } from "./manifest.ts";
import { SharedFiles } from "./sharedFiles.ts";

/** Written by `npm run package` beside the files it names. */
const MANIFEST = "manifest.json";
const MANIFEST_MAX_BYTES = 1_048_576;
const SCRIPT_MAX_BYTES = 1_048_576;

/** What adds the targets that a release has not. */
const ADD_TARGETS = "npm run package -- --target all";

type SigningKey = Parameters<typeof signManifest>[1];

/** The installers and the agent's files that belong to them. */
export interface Release {
  readonly manifest: Manifest;
  /** The installer for a shell. */
  readonly script: Buffer;
  /** For which machines there is an agent in its full length. */
  readonly targets: AgentTargets;
  /** The one for PowerShell; undefined where the release has nothing for Windows. */
  readonly powershellScript: Buffer | undefined;
  /** The manifest as it is served, and the signature of exactly these bytes. */
  readonly signed: { readonly text: string; readonly signature: ManifestSignature };
}

/** A file of a release, ready to be sent. */
export interface AgentFile {
  readonly size: number;
  readonly sha256: string;
  /** Its bytes from `start` on, up to `end`, each piece read when the one before was taken. */
  pieces(start: number, end: number): AsyncIterable<Buffer>;
}

/**
 * The files that hosts download when they are paired. Read from a directory that a build makes;
 * a build made while the server runs is taken up without a restart.
 */
export class AgentFiles {
  readonly #directory: string;
  readonly #key: SigningKey;
  readonly #log: Log;
  readonly #shared = new SharedFiles();
  #release: Release | undefined;
  #stamp = "";

  /** `key` is the server's: it signs the manifests. */
  constructor(directory: string, key: SigningKey, log: Log) {
    this.#directory = directory;
    this.#key = key;
    this.#log = log;
  }

  /** The release, or undefined when there is none or it is damaged. */
  async current(): Promise<Release | undefined> {
    const stamp = await this.#stampNow();
    if (stamp === this.#stamp) return this.#release;
    this.#release = stamp === "" ? undefined : await this.#read();
    this.#stamp = stamp;
    return this.#release;
  }

  /** The release; throws `UNAVAILABLE`, which says how to build it, when there is none. */
  async require(): Promise<Release> {
    const release = await this.current();
    if (release !== undefined) return release;
    throw new RportError(
      "UNAVAILABLE",
      "The agent's files are not built, so there is nothing to install on a host.",
      { detail: "Run npm run package in the folder of the server's sources, then try again." },
    );
  }

  /** SHA-256 of the installer script read last, 64 hexadecimal digits; empty before the first. */
  get scriptSha256(): string {
    return this.#release?.manifest.scripts.sh.sha256 ?? "";
  }

  /** The same of the one for PowerShell; undefined where the release has nothing for Windows. */
  get powershellSha256(): string | undefined {
    return this.#release?.manifest.scripts.ps1?.sha256;
  }

  /** Which machines the release read last has an agent for, and which it could have. */
  get targets(): AgentTargets {
    return this.#release?.targets ?? { available: [], missing: [] };
  }

  /** One file, only by a name that stands in the manifest of that version. */
  async find(version: string, name: string): Promise<AgentFile | undefined> {
    const release = await this.current();
    if (release?.manifest.version !== version) return undefined;
    const file = entryOf(release.manifest, name);
    if (file === undefined) return undefined;
    const path = join(this.#directory, file.name);
    const { size } = await stat(path);
    if (size !== file.size) throw new Error(`${file.name} is not the file of the manifest`);
    const stamp = this.#stamp;
    const { sha256 } = file;
    const pieces = (start: number, end: number) =>
      this.#shared.pieces({ path, key: stamp }, start, end);
    return { size, sha256, pieces };
  }

  async #stampNow(): Promise<string> {
    try {
      const { mtimeMs, size, ino } = await stat(join(this.#directory, MANIFEST));
      return `${mtimeMs} ${size} ${ino}`;
    } catch {
      return "";
    }
  }

  async #read(): Promise<Release | undefined> {
    try {
      const text = (
        await readSmall(join(this.#directory, MANIFEST), MANIFEST_MAX_BYTES)
      ).toString();
      const manifest = manifestSchema.parse(JSON.parse(text));
      const { sh, ps1 } = manifest.scripts;
      const script = await this.#readScript(sh);
      const powershellScript = ps1 === undefined ? undefined : await this.#readScript(ps1);
      const targets = await this.#targetsOf(manifest);
      this.#tellMissing(targets);
      const signature = signManifest(Buffer.from(text), this.#key);
      return { manifest, script, powershellScript, targets, signed: { text, signature } };
    } catch (error) {
      this.#log.warn("the agent's files cannot be used", {
        directory: this.#directory,
        reason: errorText(error),
      });
      return undefined;
    }
  }

  async #readScript({ name, sha256 }: Manifest["scripts"]["sh"]): Promise<Buffer> {
    const script = await readSmall(join(this.#directory, name), SCRIPT_MAX_BYTES);
    const found = createHash("sha256").update(script).digest("hex");
    if (found !== sha256) throw new Error(`${name} is not the manifest's`);
    return script;
  }

  /** A file that is not there, or was not written to its end, is missing whatever the manifest says. */
  async #targetsOf({ files, missing }: Manifest): Promise<AgentTargets> {
    const agents = files.filter(({ target }) => target !== LICENCES);
    const sizes = await Promise.all(agents.map(({ name }) => this.#sizeOf(name)));
    const isWhole = agents.map(({ size }, at) => sizes[at] === size);
    const named = agents.map(({ target }) => target);
    return {
      available: named.filter((_, at) => isWhole[at]),
      missing: [...missing, ...named.filter((_, at) => !isWhole[at])],
    };
  }

  async #sizeOf(name: string): Promise<number | undefined> {
    return stat(join(this.#directory, name)).then(
      ({ size }) => size,
      () => undefined,
    );
  }

  #tellMissing({ missing }: AgentTargets): void {
    if (missing.length === 0) return;
    this.#log.warn("there is no agent for some machines; they are not offered", {
      missing: missing.join(" "),
      to_add: ADD_TARGETS,
    });
  }
}

async function readSmall(path: string, maxBytes: number): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
  return readFile(path);
}
