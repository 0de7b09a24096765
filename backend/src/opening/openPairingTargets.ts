import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import type { PairingElsewhere } from "../config/pairingSettings.ts";
import type { AgentFiles } from "../downloads/agentFiles.ts";
import { EmbeddedTarget } from "../pairing/targets/embedded.ts";
import { RportPairingTarget } from "../pairing/targets/rportPairing.ts";
import { type InstallerScripts, SealedTarget } from "../pairing/targets/sealed.ts";
import type { PairingTarget } from "../pairing/targets/target.ts";
import { Targets } from "../pairing/targets/targets.ts";
import { readSecretFile } from "../platform/secretFile.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What hosts claim from is made of this. */
export interface PairingTargetsDeps {
  readonly agentFiles: AgentFiles;
  /** The server key's fingerprint in RPort's MD5 form. */
  readonly md5Fingerprint: string;
  /** What hosts recognise this server by that come by TLS; undefined: they trust its certificate. */
  readonly tlsPin: () => TlsPin | undefined;
}

/** Where hosts claim from. */
export interface PairingTargets {
  readonly targets: Targets;
  /** This server itself, also where another service is configured. */
  readonly embedded: EmbeddedTarget;
}

interface Surroundings extends Pick<ServicesOptions, "clock" | "log"> {
  readonly opened: AsyncDisposableStack;
}

/** Opens this server's own target, and the service that the configuration names. */
export function openPairingTargets(
  { clock, log, pairing }: ServicesOptions,
  deps: PairingTargetsDeps,
  opened: AsyncDisposableStack,
): PairingTargets {
  const { agentFiles, tlsPin } = deps;
  // Read at each pairing: a new build of the agent's files brings a new script.
  const scriptSha256 = () => agentFiles.scriptSha256;
  const powershellSha256 = () => agentFiles.powershellSha256;
  const targets = () => agentFiles.targets.available;
  const scripts = { scriptSha256, powershellSha256, targets, tlsPin };
  const embedded = new EmbeddedTarget({ ...scripts, clock, log });
  opened.defer(() => embedded.close());
  if (pairing.elsewhere === undefined) return { embedded, targets: new Targets(embedded) };
  const configured = openElsewhere(pairing.elsewhere, deps, { clock, log, opened });
  return { embedded, targets: new Targets(embedded, configured) };
}

function openElsewhere(
  { url, service, keyFile }: PairingElsewhere,
  { agentFiles, md5Fingerprint, tlsPin }: PairingTargetsDeps,
  { clock, log, opened }: Surroundings,
): PairingTarget {
  if (service === "rport-pairing") return new RportPairingTarget({ url, md5Fingerprint, clock });
  const key = keyFile && readSecretFile(keyFile, "pairing.key_file").trim();
  const scripts = () => scriptsOf(agentFiles);
  const target = new SealedTarget({ url, key, scripts, tlsPin, clock, log });
  opened.defer(() => target.close());
  return target;
}

async function scriptsOf(agentFiles: AgentFiles): Promise<InstallerScripts> {
  const { script, powershellScript, manifest } = await agentFiles.require();
  const { sh, ps1 } = manifest.scripts;
  const hasBoth = powershellScript !== undefined && ps1 !== undefined;
  return {
    sh: { bytes: script, sha256: sh.sha256 },
    ps1: hasBoth ? { bytes: powershellScript, sha256: ps1.sha256 } : undefined,
    targets: agentFiles.targets.available,
  };
}
