import type { ConnectionRequest } from "@rport/protocol/agent";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { LeftOut } from "@rport/protocol/leftOut";
import { beginningOf, ownText } from "@rport/protocol/ownText";
import { toTime } from "../../platform/clock.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** Who registers, as the server knows it; the rest is what the agent says. */
export interface Registrant {
  readonly id: ClientId;
  readonly credentialId: AuthId;
  readonly secretId: SecretId;
  readonly address: string;
  /** Extensions both sides listed. */
  readonly features: readonly string[];
  /** `SHA256:` fingerprint of its proven key; undefined: it has none. */
  readonly hostKey: string | undefined;
  readonly nowMs: number;
  /** Tunnels that it asked for and is in without. */
  readonly leftOut: readonly LeftOut[];
}

/** Largest record kept of one client, as JSON; a usual one has 1 to 3 kB. */
export const RECORD_MAX_BYTES = 64 << 10;
const HINT_MAX = 64;
/** Labels beyond these are not kept. */
const LABELS_MAX = 256;
/** Controls and direction marks: they would act on the terminal or the page that shows them. */
const UNSHOWABLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{200E}\u{200F}\u{061C}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu;

/**
 * The record of a client that just registered. What it had before is replaced, except its tunnels.
 * Returns undefined when it would be larger than `RECORD_MAX_BYTES`.
 */
export function recordOf(
  request: ConnectionRequest,
  who: Registrant,
  tunnels: ClientRecord["tunnels"],
): ClientRecord | undefined {
  const record: ClientRecord = {
    id: who.id,
    ...describe(request),
    ...system(request),
    address: who.address,
    client_auth_id: who.credentialId,
    connected_at: toTime(who.nowMs),
    disconnected_at: null,
    features: [...who.features],
    secret_id: who.secretId,
    revoked_at: null,
    host_key: who.hostKey ?? null,
    host_key_change: null,
    connection_end: null,
    left_out: who.leftOut.map(({ remote, reason }) => ({
      remote: clean(remote),
      reason: clean(reason),
    })),
    terminal: request.Terminal ?? null,
    tunnels,
    adopted: {},
    given: {},
    machine_hint: beginningOf(clean(request.MachineHint), HINT_MAX),
    first_seen_at: null,
    heard_at: null,
    allowed_user_groups: [],
  };
  return Buffer.byteLength(JSON.stringify(record)) > RECORD_MAX_BYTES ? undefined : record;
}

function describe(request: ConnectionRequest) {
  return {
    name: clean(request.Name),
    hostname: clean(request.Hostname),
    version: clean(request.Version),
    timezone: clean(request.Timezone),
    ipv4: request.IPv4.map(clean),
    ipv6: request.IPv6.map(clean),
    tags: request.Tags.map(clean),
    labels: cleanLabels(request.Labels),
  };
}

function system(request: ConnectionRequest) {
  return {
    os: clean(request.OS),
    os_full_name: clean(request.OSFullName),
    os_version: clean(request.OSVersion),
    os_arch: clean(request.OSArch),
    os_family: clean(request.OSFamily),
    os_kernel: clean(request.OSKernel),
    os_virtualization_system: clean(request.OSVirtualizationSystem),
    os_virtualization_role: clean(request.OSVirtualizationRole),
    cpu_family: clean(request.CPUFamily),
    cpu_model: clean(request.CPUModel),
    cpu_model_name: clean(request.CPUModelName),
    cpu_vendor: clean(request.CPUVendor),
    num_cpus: request.NumCPUs,
    mem_total: request.MemoryTotal,
  };
}

function cleanLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(labels).slice(0, LABELS_MAX);
  return Object.fromEntries(kept.map(([key, value]) => [clean(key), clean(value)]));
}

/**
 * Text from an agent is shown, never interpreted: nothing that acts stays in it, and nothing that was trimmed
 * off is kept behind it, where no budget of records would count it.
 */
export function clean(text: string): string {
  return ownText(text.replaceAll(UNSHOWABLE, "\u{FFFD}").trim());
}
