import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Edit } from "../store/edits/edit.ts";
import { isPersonEdit, type PersonEdit } from "../store/edits/personEdit.ts";
import type { Touchable } from "./sources.ts";

/** One thing that looks different now: what it is, and its id. */
export type Touched = readonly [Touchable, string];

/** Where it is looked up which clients show a credential's secrets. */
export interface TouchedDeps {
  clientsOf(
    id: AuthId,
  ): readonly { readonly id: ClientId; readonly secretId: SecretId | undefined }[];
}

const SERVER: Touched = ["server", ""];

/** What watchers have to see anew after these edits, each once. */
export function touchedBy(edits: readonly Edit[], clients: TouchedDeps): readonly Touched[] {
  const all = [...edits.flatMap(touchedByOne), ...showingClients(edits, clients)];
  return [...new Map(all.map((touched) => [touched.join(" "), touched])).values()];
}

function touchedByOne(edit: Edit): readonly Touched[] {
  if (isPersonEdit(edit)) return touchedUsers(edit);
  switch (edit.kind) {
    case "seen":
      return [
        ["client", edit.record.id],
        ["credential", edit.record.client_auth_id],
        ...(edit.former === undefined ? [] : [["credential", edit.former] as const]),
        SERVER,
      ];
    case "stand":
    case "tunnels":
    case "acl":
    case "give":
      return [["client", edit.record.id]];
    case "revokeClient":
    case "allowClient":
      return [
        ["client", edit.record.id],
        ["credential", edit.record.client_auth_id],
      ];
    case "adopt":
      return [
        ["client", edit.record.id],
        ["client", edit.from.client],
        ["credential", edit.from.credential],
        SERVER,
      ];
    case "forget":
      return [["client", edit.client], ["credential", edit.credential], SERVER];
    case "create":
      return [["credential", edit.record.id]];
    case "shift":
      return [
        ["client", edit.row.client_id],
        ["credential", edit.row.credential_id],
      ];
    case "shifted":
      return [
        ["client", edit.client],
        ["credential", edit.credential],
      ];
    case "add":
    case "rotation":
      return [["credential", edit.row.credential_id]];
    default:
      return [["credential", edit.credential]];
  }
}

/** Who was in a group that has gone is known to their ledger only, which tells it by itself. */
function touchedUsers(edit: PersonEdit): readonly Touched[] {
  switch (edit.kind) {
    case "addUser":
      return [["user", edit.record.username]];
    case "changeUser":
      return [edit.user, edit.to.username ?? edit.user].map((name): Touched => ["user", name]);
    case "changeToken":
    case "putGroup":
    case "removeGroup":
    case "addClientGroup":
    case "putClientGroup":
    case "removeClientGroup":
    case "uses":
      return [];
    default:
      return [["user", edit.user]];
  }
}

/**
 * Clients show the state of the secret that they stand on, and how far they are in a rotation. One
 * look at the clients of a credential is enough for all edits of one commit.
 */
function showingClients(edits: readonly Edit[], clients: TouchedDeps): readonly Touched[] {
  const secrets = new Map<AuthId, Set<SecretId>>();
  const all = new Set<AuthId>();
  for (const edit of edits) {
    if (edit.kind === "erase") all.add(edit.credential);
    if (edit.kind === "clearShifts" && edit.client === undefined) all.add(edit.credential);
    if (edit.kind === "grace" || edit.kind === "activate" || edit.kind === "revoke") {
      const ids = secrets.get(edit.credential) ?? new Set();
      secrets.set(edit.credential, ids.add(edit.id));
    }
  }
  return [...new Set([...all, ...secrets.keys()])].flatMap((id) => {
    const changed = secrets.get(id);
    const shows = (secretId: SecretId | undefined) =>
      all.has(id) || (secretId !== undefined && changed?.has(secretId) === true);
    return clients
      .clientsOf(id)
      .filter(({ secretId }) => shows(secretId))
      .map((client): Touched => ["client", client.id]);
  });
}
