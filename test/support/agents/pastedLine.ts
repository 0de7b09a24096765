import { pairingTokenSchema } from "@rport/protocol/pairing";
import { tokenParts } from "@rport/protocol/sealing";
import { claimPairing } from "../../../agent/src/enroll/claim.ts";
import { SYSTEM_CLOCK } from "../../../agent/src/platform/clock.ts";
import { PeerAgent } from "./peerAgent.ts";

/** A host on which a line is pasted. */
export interface PastedHost {
  /** The server's origin. */
  readonly url: string;
  /** The line, with the token in it. */
  readonly line: string;
  readonly clientId: string;
  readonly hostname: string;
}

/** What the host got. */
export interface Claimed {
  readonly authId: string;
  readonly secret: string;
}

/** The pairing token of a line to paste. */
export function tokenOf(line: string): string {
  const token = /echo (\w+)/.exec(line)?.[1];
  if (token === undefined) throw new Error(`no token in ${line}`);
  return token;
}

/** Claims what a line is good for, as an installer does. Rejects as that does. */
export async function claimLine(host: PastedHost): Promise<Claimed> {
  const { url, line, clientId, hostname } = host;
  const { auth_id: authId, secret } = await claimPairing({
    pins: [],
    service: new URL(url),
    parts: tokenParts(pairingTokenSchema.parse(tokenOf(line))),
    clientId,
    hostname,
    clock: SYSTEM_CLOCK,
  });
  return { authId, secret };
}

/** Signs in with what was claimed. Rejects with the server's text when that is refused. */
export function joinClaimed(host: PastedHost, { authId, secret }: Claimed): Promise<PeerAgent> {
  const { url, clientId, hostname } = host;
  const introduction = {
    ID: clientId,
    Name: hostname,
    Hostname: hostname,
    IPv4: ["10.0.8.77"],
    SessionID: `process-of-${hostname}`,
  };
  return PeerAgent.join({
    url: url.replace(/^http/, "ws"),
    user: authId,
    password: secret,
    introduction,
  });
}
