import type { Credential } from "@rport/protocol/model";
import type { AskingRight } from "./askedTunnels.ts";

/** Nothing: the credential is gone, and its agents are about to be. */
const NONE: AskingRight = { max: 0, ports: null };

/** What agents of a credential may ask for. */
export function askingRightOf(credential: Pick<Credential, "limits"> | undefined): AskingRight {
  if (credential === undefined) return NONE;
  const { agent_tunnels: max, agent_ports: range } = credential.limits;
  if (range === null) return { max, ports: null };
  const [from = 0, to = 0] = range.split("-").map(Number);
  return { max, ports: { from, to } };
}
