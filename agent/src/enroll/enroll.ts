import { randomUUID } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import {
  type PairingPayload,
  type PairingToken,
  pairingPayloadSchema,
} from "@rport/protocol/pairing";
import { tokenParts } from "@rport/protocol/sealing";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { CONFIG_MAX_BYTES } from "../config/config.ts";
import { normaliseServerUrl } from "../config/serverUrl.ts";
import { proxyFor, proxyOfEnvironment } from "../connection/proxy.ts";
import { machineId, SYSTEM_DOORS } from "../machine/machineId.ts";
import type { Platform } from "../machine/platform.ts";
import type { Clock } from "../platform/clock.ts";
import { type FileOwner, writeDurably } from "../platform/durableFile.ts";
import { textOf } from "../platform/errorText.ts";
import { claimantFor, claimPairing } from "./claim.ts";
import {
  type EnrolledConfig,
  type ExistingConfig,
  enrolledConfig,
  readExisting,
} from "./enrolledConfig.ts";
import { type Reporter, reporterOf } from "./report.ts";

/** Stands for what the server will give, while nobody has asked it yet. */
const ANY_PAYLOAD = pairingPayloadSchema.parse({
  server_urls: ["http://127.0.0.1"],
  fingerprint: `SHA256:${"A".repeat(43)}`,
  auth_id: "any",
  secret: "0123456789abcdef",
});

/** What a person asked for. */
export interface EnrollRequest {
  readonly server: string;
  /** Where the token is claimed; undefined: at the server. */
  readonly pairing: string | undefined;
  /** What the server's TLS key is recognised by; undefined: its certificate is trusted. */
  readonly tlsPin: TlsPin | undefined;
  readonly file: string;
  readonly token: PairingToken;
  readonly name: string;
  readonly tags: readonly string[];
  /** Register as a new host: for copies of a disk image. */
  readonly isNewId: boolean;
  readonly dataDir: string;
  /** Leave the server the host is enrolled at now. */
  readonly isForced: boolean;
}

/** What enrolling needs of the machine. */
export interface EnrollDeps {
  readonly platform: Pick<Platform, "idReaders">;
  readonly hostname: string;
  readonly clock: Clock;
}

/** As what this host is enrolled now. */
export interface Enrolled {
  readonly authId: string;
  readonly clientId: string;
  /** Tells whoever made the pairing how it goes on here. */
  readonly report: Reporter;
}

/**
 * Claims the pairing and writes `rport.conf`, durably and readable for its owner alone. An existing
 * file of the same server is renewed and the host keeps its id. Rejects with a `CliFailure`; then
 * nothing was written.
 */
export async function enroll(request: EnrollRequest, deps: EnrollDeps): Promise<Enrolled> {
  const server = requireServer(request.server, "--server");
  if (request.tlsPin !== undefined && server.protocol !== "https:") {
    throw new CliFailure(EXIT.usage, "--tls-pin needs a --server that begins with https://.");
  }
  const service = requireServer(request.pairing ?? request.server, "--pairing");
  proxyFor(service, "");
  const file = resolve(request.file);
  const existing = await findExisting(file, request.isForced);
  const clientId = await chooseId(request, existing, deps);
  const { name, tags, dataDir, tlsPin } = request;
  const wanted = { file, clientId, name, tags, dataDir, tlsPin, existing };
  assertUsable(wanted);
  const parts = tokenParts(request.token);
  const { hostname, clock } = deps;
  // A pairing service apart from the server has a certificate that this host trusts.
  const pins = tlsPin === undefined || request.pairing !== undefined ? [] : [tlsPin];
  const payload = await claimPairing({ service, pins, parts, clientId, hostname, clock });
  if (!request.isForced) assertSameServer(existing, payload, file);
  const proxy = proxyOfEnvironment(payload.server_urls[0] ?? "");
  await write(file, enrolledConfig({ ...wanted, payload, proxy }));
  const claimant = claimantFor({ parts, hostname, clientId });
  const report = reporterOf({ service, pins, parts, claimant, clientId, hostname });
  return { authId: payload.auth_id, clientId, report };
}

/** What is wrong in the file that is there is told before the token is spent. */
function assertUsable(wanted: Omit<EnrolledConfig, "payload" | "proxy">): void {
  try {
    enrolledConfig({ ...wanted, payload: ANY_PAYLOAD, proxy: "" });
  } catch (error) {
    throw new CliFailure(EXIT.usage, textOf(error));
  }
}

function requireServer(written: string, flag: string): URL {
  const isHttp = /^https?:\/\//i.test(written);
  if (isHttp && normaliseServerUrl(written).ok) return new URL(written);
  throw new CliFailure(EXIT.usage, `${flag} must be an http:// or https:// address.`);
}

async function findExisting(file: string, isForced: boolean): Promise<ExistingConfig | undefined> {
  const text = await readSmallFile(file, CONFIG_MAX_BYTES).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliFailure(EXIT.failed, `${file} cannot be read: ${textOf(error)}`);
  });
  if (text === undefined) return undefined;
  const existing = readExisting(text, file);
  if (existing !== undefined || isForced) return existing;
  throw new CliFailure(EXIT.usage, `${file} is damaged. Use --force to replace it.`);
}

async function chooseId(
  request: EnrollRequest,
  existing: ExistingConfig | undefined,
  { platform }: EnrollDeps,
): Promise<string> {
  if (request.isNewId) return randomUUID();
  return existing?.id || (await machineId(platform.idReaders(SYSTEM_DOORS))) || randomUUID();
}

/** The token is not lost by this: the same command with `--force` gets the same answer for 60 s. */
function assertSameServer(
  existing: ExistingConfig | undefined,
  payload: PairingPayload,
  file: string,
): void {
  const current = existing?.servers[0];
  if (existing === undefined || current === undefined) return;
  const isSame = payload.server_urls.some((url) => {
    const parsed = normaliseServerUrl(url);
    return parsed.ok && existing.servers.includes(parsed.url);
  });
  if (isSame) return;
  const sentence = `${file} belongs to ${current}. Run the same again with --force to leave it.`;
  throw new CliFailure(EXIT.usage, sentence);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeDurably(file, text, await ownerForNew(dirname(file)));
  } catch (error) {
    throw new CliFailure(EXIT.failed, `${file} cannot be written: ${textOf(error)}`);
  }
}

/** Written by root into the folder of the agent's user, the file is that user's. */
async function ownerForNew(folder: string): Promise<FileOwner> {
  const { uid, gid } = await stat(folder);
  return { mode: 0o600, uid, gid };
}
