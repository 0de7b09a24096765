import { VERSION } from "@rport/protocol/version";
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
  files: z.array(z.object({ sha256: z.string().max(64) })).max(64),
});

/** A file that somebody is about to run, and whose it should be. */
export interface FileToVerify {
  readonly file: string;
  /** Where it came from: `http(s)://host[:port][/path]`. */
  readonly server: string;
  /** The host's `rport.conf`, which pins the server's key. */
  readonly config: string;
}

/**
 * Resolves when a file is of the release that this host's server has signed with the key that the
 * host pins. Rejects with a `CliFailure`: usage when the host is not enrolled at that server, network
 * when there is no manifest to be had, checksum when the file is not in it, or it is not the server's.
 */
export async function verifyFile({ file, server, config }: FileToVerify): Promise<void> {
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
  const files = parsed(manifestSchema, manifest)?.files ?? [];
  if (files.some((one) => one.sha256 === sha256)) return;
  throw new CliFailure(EXIT.checksum, `${file} is not of the release of ${server}.`);
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
