import type { Join } from "@rport/protocol/join";
import type { Client } from "@rport/protocol/model";
import type { Pairing, PairingStep } from "@rport/protocol/pairing/model";
import type { Cure, SheetHost } from "@rport/protocol/sheet";
import { displayName } from "../model/arrange.ts";
import { doubtSentence } from "../model/joinDoubt.ts";
import { inertLine } from "../support/text.ts";

/** A host that was not heard of for so long after its last step has probably failed. */
export const SILENT_AFTER_MS = 120_000;

/** What is known of the hosts of a pairing. */
export interface HostsFacts {
  /** As it was last heard of. */
  readonly pairing: Pairing;
  readonly clients: ReadonlyMap<string, Client>;
  readonly joins: Iterable<Join>;
  /** Ids of clients that were seen to arrive, in case their record goes. */
  readonly arrived: ReadonlySet<string>;
  /** What the user wants the host to be called; empty: by its own name. */
  readonly name: string;
  /** The server's clock, in milliseconds since the epoch. */
  readonly serverNowMs: number;
}

/** What the server has told of one host. */
interface Trace {
  readonly clientId: string;
  readonly hostname: string;
  readonly address: string;
  /** When it took the credentials. */
  readonly since: string;
  readonly steps: readonly PairingStep[];
}

/** Where a host stands. */
type Stand = Pick<SheetHost, "stage" | "at" | "text"> & { readonly cure?: Cure | undefined };

const CURES: Readonly<Partial<Record<string, Cure>>> = {
  duplicate: "newId",
  "bound-to-other-client": "renew",
  "revoked-client": "allow",
  "revoked-secret": "renew",
  "wrong-secret": "renew",
  "not-approved": "renew",
  address: "limits",
  expired: "limits",
  "too-many-clients": "limits",
  "join-rate": "limits",
};

/** How far each host has come that used a pairing, in the order in which they came. */
export function hostsOf(facts: HostsFacts): SheetHost[] {
  const joins = [...facts.joins];
  return tracesOf(facts.pairing).map((trace) => hostOf(trace, facts, joins));
}

function hostOf(trace: Trace, facts: HostsFacts, joins: readonly Join[]): SheetHost {
  const { clientId, hostname, address, steps } = trace;
  const client = facts.clients.get(clientId);
  const { stage, at, text, cure } = standOf(trace, facts, joins);
  const isThere = stage === "connected" || stage === "offline" || stage === "hostRevoked";
  const known = isThere ? client : undefined;
  const named = facts.pairing.uses === 1 ? facts.name : "";
  return {
    clientId,
    name: inertLine(named || (known === undefined ? hostname || clientId : displayName(known))),
    address: inertLine(known === undefined ? address : (known.ipv4[0] ?? known.address)),
    os: known === undefined ? "" : inertLine(known.os_full_name || known.os),
    stage,
    at,
    steps: steps.map(({ kind, at: when }) => ({ kind, at: when })),
    text: inertLine(text),
    cure,
  };
}

/** The hosts that claimed, and those of whose sign-in was heard: some services tell of no claim. */
function tracesOf({ claims, steps }: Pairing): Trace[] {
  const traces = new Map<string, Trace>();
  for (const { client_id: clientId, hostname, address, at } of claims) {
    traces.set(clientId, { clientId, hostname, address, since: at, steps: [] });
  }
  for (const step of steps) {
    const { client_id: clientId, hostname, address, at } = step;
    if (clientId === "") continue;
    const known = traces.get(clientId) ?? { clientId, hostname, address, since: at, steps: [] };
    if (Date.parse(at) < Date.parse(known.since)) continue;
    traces.set(clientId, { ...known, steps: [...known.steps, step] });
  }
  return [...traces.values()];
}

function standOf(trace: Trace, facts: HostsFacts, joins: readonly Join[]): Stand {
  const { clientId, since } = trace;
  const join = joins.find(
    (one) => one.client_id === clientId && one.credential_id === facts.pairing.credential_id,
  );
  if (join !== undefined) return { stage: "approval", at: join.at, text: doubtSentence(join) };
  const last = decisive(trace.steps);
  if (last?.kind === "refused") return refused(last);
  if (hasArrived(trace, last, facts)) return arrived(trace, facts);
  if (last?.kind === "failed") {
    const text = [last.reason, last.text].filter((part) => part !== "").join(": ");
    return { stage: "failed", at: last.at, text, cure: "renew" };
  }
  const heardAt = last?.at ?? since;
  const isSilent = facts.serverNowMs - Date.parse(heardAt) >= SILENT_AFTER_MS;
  const stage = last?.kind === "installed" ? "installed" : "claimed";
  return { stage: isSilent ? "silent" : stage, at: heardAt, text: "" };
}

/** A failure after a refusal is its consequence, and an installer's word after a sign-in is old. */
function decisive(steps: readonly PairingStep[]): PairingStep | undefined {
  return steps.reduce<PairingStep | undefined>((last, step) => {
    const isOld = last?.kind === "connected" && step.kind !== "refused";
    const isConsequence = last?.kind === "refused" && step.kind !== "connected";
    return isOld || isConsequence ? last : step;
  }, undefined);
}

function refused({ at, reason, text }: PairingStep): Stand {
  const cure = CURES[reason];
  return { stage: "refused", at, text, cure };
}

/** Servers that tell no steps tell it by the client's record. */
function hasArrived(
  { clientId, since }: Trace,
  last: PairingStep | undefined,
  { arrived, clients, pairing }: HostsFacts,
): boolean {
  if (last?.kind === "connected" || arrived.has(clientId)) return true;
  const client = clients.get(clientId);
  if (pairing.steps.length > 0 || client === undefined || client.connected_at === null)
    return false;
  if (client.client_auth_id !== pairing.credential_id) return false;
  return Date.parse(client.connected_at) >= Date.parse(since);
}

function arrived({ clientId, since, steps }: Trace, { clients }: HostsFacts): Stand {
  const client = clients.get(clientId);
  const heardAt = steps.at(-1)?.at ?? since;
  if (client === undefined) return { stage: "deleted", at: heardAt, text: "" };
  const { revoked_at: revokedAt, connection_state: state } = client;
  if (revokedAt !== null) return { stage: "hostRevoked", at: revokedAt, text: "" };
  return state === "connected"
    ? { stage: "connected", at: client.connected_at ?? heardAt, text: "" }
    : { stage: "offline", at: client.disconnected_at ?? heardAt, text: "" };
}
