import { isOlder, VERSION } from "@rport/protocol/version";
import { isManifestSigned, manifestSignatureSchema } from "@rport/protocol/wire/manifestSignature";
import { z } from "zod";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { AgentConfig } from "../config/config.ts";
import { loadConfig } from "../config/loadConfig.ts";
import { normaliseServerUrl } from "../config/serverUrl.ts";
import { getText } from "../enroll/post.ts";
import { textOf } from "../platform/errorText.ts";
import { hashOfFile } from "./fileHash.ts";

const USER_AGENT = `rport-agent/${VERSION}`;

/** What matters here of a manifest. */
const manifestSchema = z.object({
  version: z.string().max(200),
  files: z.array(z.object({ sha256: z.string().max(64) })).max(64),
});

/** A file that somebody is about to run, and whose it should be. */
export interface FileToVerify {
  readonly file: string;
  /** Where it came from: `http(s)://host[:port][/path]`. */
  readonly server: string;
  /** The host's `rport.conf`, which pins the server's key. */
  readonly config: string;
  /** Whether it may be of a release that came before this agent's. */
  readonly allowsDowngrade: boolean;
}

/**
 * Resolves when a file is of the release that this host's server has signed with the key that the
 * host pins, and that release is not older than this agent, unless it may be. Rejects with a `CliFailure`:
 * usage when the host is not enrolled at that server, network when there is no manifest to be had, checksum
 * when the file is not in it, when it is not the server's, or is older.
 */
export async function verifyFile({
  file,
  server,
  config,
  allowsDowngrade,
}: FileToVerify): Promise<void> {
  const { fingerprint: pinned, tlsPins: pins } = await enrolledAt(server, config);
  const sha256 = await hashOfFile(file).catch((error: unknown) => {
    throw new CliFailure(EXIT.usage, `--file cannot be read: ${textOf(error)}`);
  });
  const at = { server, pins };
  const manifest = await fetchText(at, "agent/manifest.json");
  const signature = parsed(manifestSignatureSchema, await fetchText(at, "agent/manifest.json.sig"));
  if (signature === undefined || !isManifestSigned(Buffer.from(manifest), signature, pinned)) {
    const sentence = `What ${server} hands out is not signed by the server that this host knows.`;
    throw new CliFailure(EXIT.checksum, sentence);
  }
  const release = parsed(manifestSchema, manifest);
  if (release === undefined || release.files.every((one) => one.sha256 !== sha256)) {
    throw new CliFailure(EXIT.checksum, `${file} is not of the release of ${server}.`);
  }
  if (!allowsDowngrade) assertNoDowngrade(server, release.version);
}

/**
 * What was signed stays signed: without this, whoever answers at the server's address could bring back every
 * weakness that a release has mended. Throws a `CliFailure` of a version that is older, or is none.
 */
function assertNoDowngrade(server: string, version: string): void {
  const isDowngrade = isOlder(version, VERSION);
  if (isDowngrade === false) return;
  const what = isDowngrade ? "older than" : "not to be compared with";
  const sentence = `${server} hands out release ${version}, which is ${what} the agent of this host, ${VERSION}. If the server was put back on purpose, allow it: --allow-downgrade.`;
  throw new CliFailure(EXIT.checksum, sentence);
}

async function enrolledAt(
  server: string,
  file: string,
): Promise<Pick<AgentConfig, "fingerprint" | "tlsPins">> {
  const url = normaliseServerUrl(server);
  const config = await loadConfig(file).catch(() => undefined);
  if (url.ok && config?.servers.includes(url.url)) return config;
  throw new CliFailure(EXIT.usage, `This host is not enrolled at ${server}.`);
}

interface Source {
  readonly server: string;
  readonly pins: AgentConfig["tlsPins"];
}

async function fetchText({ server, pins }: Source, path: string): Promise<string> {
  const base = new URL(server.endsWith("/") ? server : `${server}/`);
  const answer = await getText(new URL(path, base), { userAgent: USER_AGENT, pins }).catch(
    (error: unknown) => {
      throw new CliFailure(EXIT.network, `${server} cannot be reached: ${textOf(error)}.`);
    },
  );
  if (answer.status === 200) return answer.body;
  const sentence = `${server} has no signed manifest: it answered with status ${answer.status}.`;
  throw new CliFailure(EXIT.network, sentence);
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
