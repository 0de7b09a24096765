import type { KeyObject } from "node:crypto";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ChangeNumbers } from "../store/changeNumbers.ts";
import { ioFailure } from "../store/files/dataDirectory.ts";
import type { RequireHeld } from "../store/files/durableFile.ts";
import { AgentEvents } from "./agentEvents.ts";
import { Bursts } from "./bursts.ts";
import { CredentialShares } from "./credentialShares.ts";
import { EditorEvents } from "./editorEvents.ts";
import { AuditIndex } from "./index/auditIndex.ts";
import { IndexFile } from "./index/indexFile.ts";
import { AuditLog } from "./log.ts";
import { PairingEvents } from "./pairingEvents.ts";
import { RecordingEvents } from "./recordingEvents.ts";
import { RotationEvents } from "./rotationEvents.ts";
import { entriesAfter } from "./scan.ts";
import { type OpenSegmentFile, openSegmentFile } from "./segments.ts";
import { SignIns } from "./signIns.ts";
import { TerminalEvents } from "./terminalEvents.ts";
import { TunnelEvents } from "./tunnelEvents.ts";

/** What auditing is made of. */
export interface AuditingDeps {
  readonly directory: string;
  /** 32 bytes, of `audit.key`. */
  readonly key: KeyObject;
  /** The file of the index. */
  readonly indexFile: string;
  /** The numbers of the last changes that are known to be durable. */
  readonly lastNumbers: () => ChangeNumbers;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
  readonly log: Log;
  readonly openFile?: OpenSegmentFile | undefined;
  /** Awaited before a file is opened. */
  readonly requireHeld: RequireHeld;
}

/** The audit log, its index, and those who write into it. */
export interface Auditing {
  readonly audit: AuditLog;
  readonly index: AuditIndex;
  readonly signIns: SignIns;
  readonly agents: AgentEvents;
  readonly pairings: PairingEvents;
  readonly editors: EditorEvents;
  readonly tunnels: TunnelEvents;
  readonly terminals: TerminalEvents;
  readonly recordings: RecordingEvents;
  readonly rotations: RotationEvents;
  /** Writes what waits and what was only counted. */
  close(): Promise<void>;
}

/** Networks of strangers that are told apart in an hour: whoever has a /48 has ever other ones. */
const STRANGERS_PER_HOUR = 1_000;

/** Opens the audit log. Fails with a `StartFailure` that names the directory. */
export async function openAuditing(deps: AuditingDeps): Promise<Auditing> {
  const { directory, key, lastNumbers, limits, clock, log, requireHeld } = deps;
  const database = new IndexFile({ path: deps.indexFile, log, requireHeld });
  const index = new AuditIndex({
    database,
    limits,
    clock,
    log,
    entriesAfter: (seq) => entriesAfter(directory, key, seq),
  });
  const openFile: OpenSegmentFile = async (path, isNew) => {
    await requireHeld();
    return (deps.openFile ?? openSegmentFile)(path, isNew);
  };
  const audit = await AuditLog.open({
    directory,
    key,
    follower: index,
    lastNumbers,
    clock,
    log,
    openFile,
  }).catch((caught: unknown) => {
    throw ioFailure(directory, caught);
  });
  const bursts = new Bursts({ audit, clock, keysPerHour: STRANGERS_PER_HOUR });
  const shares = new CredentialShares({ audit, limits, clock });
  const agents = new AgentEvents({ audit, bursts, shares, limits, clock });
  const tunnels = new TunnelEvents({ audit, shares, limits, clock });
  const terminals = new TerminalEvents({ audit, limits, clock });
  const recordings = new RecordingEvents({ audit, limits, clock });
  const editors = new EditorEvents({ audit, limits, clock });
  const signIns = new SignIns({ audit, bursts, limits, clock });
  return {
    audit,
    index,
    agents,
    signIns,
    pairings: new PairingEvents({ audit, bursts, shares }),
    editors,
    tunnels,
    terminals,
    recordings,
    rotations: new RotationEvents(audit),
    async close() {
      agents.close();
      tunnels.close();
      shares.close();
      bursts.close();
      signIns.close();
      editors.close();
      terminals.close();
      recordings.close();
      await audit.close();
      await index.close();
      await database.close();
    },
  };
}
