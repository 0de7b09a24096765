import type { Credential, Pairing } from "@rport/protocol/model";
import { count } from "../support/text.ts";
import { contextValue } from "./contextValue.ts";
import { ago, until } from "./relativeTime.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Characters of a pairing's id that are shown: enough to tell a few apart. */
const PAIRING_ID_SHOWN = 4;

function credentialIcon(credential: Credential): RowIcon {
  if (credential.rotation !== null) return { name: "sync" };
  return credential.clients_total === 0
    ? { name: "key", color: "disabledForeground" }
    : { name: "key" };
}

/** A credential's row; `hasChildren` says whether anything is to be seen below it. */
export function credentialRow(credential: Credential, hasChildren: boolean, nowMs: number): Row {
  const { id, rotation, clients_total: total, clients_connected: connected } = credential;
  const use = total === 0 ? "unused" : count(total, "client");
  const online = total === 0 ? "" : `${connected} online`;
  const rotated =
    credential.rotated_at === null ? "" : `rotated ${ago(credential.rotated_at, nowMs)}`;
  const rotating = rotation === null ? "" : "rotating";
  const age = rotation === null ? rotated : "";
  return {
    label: id,
    description: joinDots(rotating, credential.label, use, online, age),
    icon: credentialIcon(credential),
    context: contextValue("credential", {
      inUse: total > 0,
      rotating: rotation !== null,
      unused: total === 0,
    }),
    children: hasChildren ? "collapsed" : "none",
    spoken: joinSpoken(id, rotating, credential.label, use, online, age),
  };
}

/** The progress of a rotation; undefined when there is none. */
export function rotationRow({ rotation }: Credential, nowMs: number): Row | undefined {
  if (rotation === null) return undefined;
  const { moved, total, grace_ends_at: end } = rotation;
  const isReady = moved >= total;
  const label = `New secret: ${moved} of ${count(total, "client")} moved`;
  const description =
    end === null ? "old secret ends when all have moved" : `old secret ends ${until(end, nowMs)}`;
  return {
    label,
    description,
    icon: { name: isReady ? "check-all" : "loading~spin" },
    context: contextValue("rotation", { open: !isReady, ready: isReady }),
    children: "none",
    spoken: joinSpoken(label, description),
  };
}

const PAIRING_ICONS: Readonly<Record<Pairing["state"], string>> = {
  active: "watch",
  used: "check",
  expired: "circle-slash",
  revoked: "circle-slash",
};

function pairingDescription(pairing: Pairing, nowMs: number): string {
  if (pairing.state === "active") {
    const uses = pairing.uses > 1 ? `${pairing.uses_left} of ${pairing.uses} uses left` : "";
    return joinDots(`expires ${until(pairing.expires_at, nowMs)}`, uses);
  }
  const claim = pairing.claims.at(-1);
  return pairing.state === "used" && claim !== undefined
    ? `used by ${claim.hostname}`
    : pairing.state;
}

/** A pairing's row. */
export function pairingRow(pairing: Pairing, nowMs: number): Row {
  const label = `Pairing ${pairing.id.slice(0, PAIRING_ID_SHOWN)}\u2026`;
  const description = pairingDescription(pairing, nowMs);
  return {
    label,
    description,
    icon: { name: PAIRING_ICONS[pairing.state] },
    context: contextValue("pairing", { [pairing.state]: true }),
    children: "none",
    spoken: joinSpoken(label, description),
  };
}
