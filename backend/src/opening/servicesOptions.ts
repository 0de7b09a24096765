import type { OpenSegmentFile } from "../audit/segments.ts";
import type { PairingElsewhere } from "../config/pairingSettings.ts";
import type { AgentSources } from "../downloads/agentSources.ts";
import type { SetLimits } from "../limits/limitTable.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { PortRange } from "../platform/portRanges.ts";
import type { OpenRecordingFile } from "../recordings/recordingFile.ts";

/** What the services are made from. */
export interface ServicesOptions {
  readonly dataDir: string;
  /** RPort's `key_seed`; undefined: the key in the data directory. */
  readonly keySeed?: string | undefined;
  /** Where agents reach this server; empty: where each request came in. */
  readonly serverUrls: readonly string[];
  readonly tunnels: { readonly bind: string | undefined; readonly ports: readonly PortRange[] };
  readonly pairing: {
    /** How long a pairing works when its maker does not say. */
    readonly ttlS: number;
    /** Where hosts claim from instead of here; absent: here. */
    readonly elsewhere?: PairingElsewhere | undefined;
  };
  /** Where limits differ from the usual. */
  readonly limits?: SetLimits | undefined;
  /** How many files and sockets the process may have open; undefined: any number. */
  readonly descriptors?: number | undefined;
  /** Addresses and networks of the proxies in front, whose `X-Forwarded-For` counts. */
  readonly trustedProxies?: readonly string[];
  /** Whether files that have lost changes are taken; see `StoreDeps`. */
  readonly acceptLostChanges?: boolean | undefined;
  /** Called once when the data directory was moved or replaced; see `StoreDeps`. */
  readonly onMoved?: (() => void) | undefined;
  readonly passwordMinLength: number;
  /** How people sign in; absent: with a password of 12 characters. */
  readonly signIn?: {
    readonly passwordMinLength: number;
    /** Whether everybody has to have a second factor. */
    readonly totpRequired: boolean;
  };
  /** Whether all terminals that are opened are recorded; absent: only those on clients of groups that say so. */
  readonly recordsTerminals?: boolean | undefined;
  /** What hosts fetch when they are paired. */
  readonly agentFiles: AgentSources;
  readonly clock: Clock;
  readonly log: Log;
  /** Replaces the files of the audit log, for tests. */
  readonly openAuditFile?: OpenSegmentFile | undefined;
  /** Replaces the files of recordings, for tests. */
  readonly openRecordingFile?: OpenRecordingFile | undefined;
}
