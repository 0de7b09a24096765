import type { Right } from "@rport/protocol/people/right";
import type { CommandName } from "../../manifest.ts";
import { whyNot } from "../../model/rights.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { CommandInput } from "../registry.ts";

/** What commands need that not everybody may use. */
const COMMAND_RIGHTS: { readonly [N in CommandName]?: Right } = {
  openTerminal: "terminal",
  openGroupTerminals: "terminal",
  playRecording: "administrator",
  saveRecording: "administrator",
  openTunnel: "tunnels",
  connectSsh: "tunnels",
  connectSshNewWindow: "tunnels",
  copySshCommand: "tunnels",
  reopenTunnel: "tunnels",
  reopenAllTunnels: "tunnels",
  installClient: "administrator",
  installAgain: "administrator",
  revokeClient: "administrator",
  forgetClient: "administrator",
  renameClient: "administrator",
  editTags: "administrator",
  allowClient: "administrator",
  adoptRecord: "administrator",
  createCredential: "administrator",
  rotateCredential: "administrator",
  finishRotation: "administrator",
  cancelRotation: "administrator",
  editCredential: "administrator",
  purgeUnused: "administrator",
  revokeSecret: "administrator",
  approveJoin: "administrator",
  denyJoin: "administrator",
  clearRefusals: "administrator",
  deleteCredential: "administrator",
  revokePairing: "administrator",
  showAudit: "auditlog",
  inviteUser: "administrator",
  editUserGroups: "administrator",
  disableUser: "administrator",
  enableUser: "administrator",
  endUserAccess: "administrator",
  resetSecondFactor: "administrator",
  rotateKnown: "administrator",
  endInvitation: "administrator",
};

/**
 * Why nobody may run a command on its row's server, or without a row on any server; undefined when
 * somebody may. The server has the last word in any case.
 */
export function whyNotAllowed(
  name: CommandName,
  { node }: Pick<CommandInput, "node">,
  { servers }: Pick<Fleet, "servers">,
): string | undefined {
  const right = COMMAND_RIGHTS[name];
  if (right === undefined) return undefined;
  const asked = servers.filter(
    ({ key, state }) =>
      state.kind === "connected" && (node === undefined || node.serverKey === key),
  );
  const [first] = asked;
  if (first === undefined || asked.some((server) => server.may(right))) return undefined;
  return whyNot(first.rights, right, first.name);
}
