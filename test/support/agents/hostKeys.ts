import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { decodeHostKey, encodeHostKey, hostKeyProofText } from "@rport/protocol/hostKey";
import { sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { SERVER_KEY } from "../wire/wirePair.ts";
import type { PeerAgentOptions } from "./peerAgent.ts";

/** What a lying agent signs in the place of the truth. */
export interface Lie {
  readonly clientId?: string | undefined;
  readonly serverFingerprint?: string | undefined;
}

/** A host with a key of its own, for agents of `PeerAgent`. */
export interface KeyedHost {
  readonly publicKey: string;
  readonly fingerprint: string;
  /** What a peer agent needs to register as this host. */
  introduction(given: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Answers the server's challenge; everything else gets the usual answer. */
  onRequest(clientId: string, lie?: Lie): NonNullable<PeerAgentOptions["onRequest"]>;
}

/** Makes the key of a host, unless it has one; `server` is the fingerprint that its agents see. */
export function keyedHost(
  server = sha256Fingerprint(SERVER_KEY.getPublicSSH()),
  privateKey: KeyObject = generateKeyPairSync("ed25519").privateKey,
): KeyedHost {
  const publicKey = encodeHostKey(privateKey);
  return {
    publicKey,
    fingerprint: decodeHostKey(publicKey)?.fingerprint ?? "",
    introduction: (given) => ({ Features: [FEATURES.hostKey], HostKey: publicKey, ...given }),
    onRequest: (own, lie) => (name, payload) => {
      if (name !== REQUESTS.proveHostKey) return undefined;
      const { nonce } = JSON.parse(payload.toString());
      const { clientId = own, serverFingerprint = server } = lie ?? {};
      const text = hostKeyProofText({ nonce, clientId, serverFingerprint });
      const signature = sign(null, text, privateKey).toString("base64");
      return Buffer.from(JSON.stringify({ signature }));
    },
  };
}
