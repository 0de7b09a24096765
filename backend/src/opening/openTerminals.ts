import type { ClientId } from "@rport/protocol/ids";
import type { Tally } from "@rport/protocol/wire/relay";
import type { Auditing } from "../audit/auditing.ts";
import type { Limits } from "../limits/limits.ts";
import type { Recordings } from "../recordings/recordings.ts";
import { isPersonEdit } from "../store/edits/personEdit.ts";
import type { Store } from "../store/store.ts";
import { HostTerminals } from "../terminals/hostTerminals.ts";
import { TerminalIds } from "../terminals/terminalIds.ts";
import { TerminalOpenings } from "../terminals/terminalOpenings.ts";
import { TerminalOwners } from "../terminals/terminalOwners.ts";
import { Terminals } from "../terminals/terminals.ts";
import type { AccountLedger } from "../users/accounts/accountLedger.ts";
import { type OpenedRecordingsDeps, openRecordings } from "./openRecordings.ts";
import type { Records } from "./openRecords.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What terminals stand on. */
export interface TerminalsDeps
  extends Pick<Records, "registry" | "presence" | "access" | "grants"> {
  readonly store: Pick<Store, "edits" | "identity" | "paths" | "requireHeld">;
  readonly ledger: AccountLedger;
  readonly auditing: Pick<Auditing, "audit" | "terminals" | "recordings">;
  readonly limits: Limits;
}

/** Terminals on hosts. */
export interface OpenedTerminals {
  readonly terminals: Terminals;
  readonly recordings: Recordings;
  /** What hosts say of theirs. */
  readonly hostTerminals: HostTerminals;
  readonly terminalOpenings: TerminalOpenings;
  /** Bytes from viewers to hosts (a to b), and back. */
  readonly terminalBytes: Tally;
}

/** Who has which terminals on which hosts; what people may is followed from then on. `opened` closes it. */
export function openTerminals(
  options: ServicesOptions,
  deps: TerminalsDeps,
  opened: AsyncDisposableStack,
): OpenedTerminals {
  const { clock, log } = options;
  const { registry, presence, access, grants, store, ledger, auditing, limits } = deps;
  const ids = new TerminalIds(store.identity.verifierKey, clock);
  const owners = new TerminalOwners({ ledger, access });
  const connected = (id: ClientId) => presence.connected(id);
  const { terminals: events, audit } = auditing;
  const hostnameOf = (id: ClientId) => registry.record(id)?.hostname;
  const stop: OpenedRecordingsDeps["stop"] = (id, reason) => terminals.stop(id, reason);
  const recordings = openRecordings(options, { ...deps, stop }, opened);
  const facts = { ids, owners, events, connected, hostnameOf, recordings, limits, clock };
  const terminals = new Terminals(facts);
  const hosts = new HostTerminals({ terminals, ids, connected, clock, log });
  opened.defer(() => hosts.close());
  opened.defer(() => terminals.waitNoMore());
  store.edits.follow((edits) => {
    if (edits.some((edit) => isPersonEdit(edit) && edit.kind !== "uses")) terminals.review();
    const gone = edits.flatMap((edit) => (edit.kind === "forget" ? edit.client : []));
    for (const id of gone) hosts.forgotten(id);
  });
  grants.follow((id) => terminals.review(id));
  const offerOf = (id: ClientId) => registry.record(id)?.terminal;
  const terminalOpenings = new TerminalOpenings({
    terminals,
    hosts,
    ids,
    connected,
    offerOf,
    recordings,
    events,
    audit,
    clock,
  });
  const terminalBytes = { bytesAtoB: 0, bytesBtoA: 0 };
  return { terminals, recordings, hostTerminals: hosts, terminalOpenings, terminalBytes };
}
