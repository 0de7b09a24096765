import { createPrivateKey } from "node:crypto";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { keyedHost } from "../agents/hostKeys.ts";
import { PeerAgent } from "../agents/peerAgent.ts";

/** What belongs to the data directory of a release, and is not in it. */
export interface Known {
  readonly version: string;
  /** When the release stopped, RFC 3339. */
  readonly stoppedAt: string;
  /** `SHA256:` form. */
  readonly fingerprint: string;
  /** The secret that each host has. */
  readonly secrets: Readonly<Record<HostName, string>>;
  /** The key of the host `paired`, in PEM. */
  readonly hostKey: string;
  /** Where the tunnel of the host `paired` listened, as the API writes ports. */
  readonly tunnelPort: string;
  /** What the release answered to a GET of each path, after a restart and without any agent. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** Each host, which is named after what happened to it, with the auth id of its credential. */
export const HOSTS = {
  shared: "fleet",
  paired: "fleet",
  revoked: "fleet",
  renamed: "fleet",
  typed: "typed",
  moved: "rotating",
  away: "rotating",
  orphan: "gone",
} as const;

/** A host of the scene; also its client id. */
export type HostName = keyof typeof HOSTS;

/** Ports that no other test's backend gives to tunnels. */
export const TUNNEL_PORTS = { from: 19_000, to: 19_099 } as const;

/** What a host of the scene needs to connect. */
export interface HostOptions {
  readonly server: Pick<Known, "fingerprint"> & { readonly url: string };
  readonly name: HostName;
  readonly secret: string;
  /** In PEM. */
  readonly hostKey: string;
  /** Told of each new secret that the host stores. */
  readonly onSecret: (secret: string) => void;
}

/** Connects a host; rejects with the server's text when it is not let in. */
export function joinAs({ server, name, secret, hostKey, onSecret }: HostOptions) {
  const host = keyedHost(server.fingerprint, createPrivateKey(hostKey));
  const facts = { ID: name, Name: `${name}-01`, Tags: ["prod", name], Hostname: `${name}.example` };
  const rotating = { ...facts, Features: [FEATURES.rotateSecret] };
  const prove = host.onRequest(name);
  const store = storing(onSecret);
  return PeerAgent.join({
    url: server.url.replace(/^http/, "ws"),
    user: HOSTS[name],
    password: secret,
    introduction: name === "paired" ? host.introduction(facts) : rotating,
    onRequest: (request, payload) => prove(request, payload) ?? store(request, payload),
  });
}

/** Stores each secret that the server hands over. */
function storing(onSecret: (secret: string) => void) {
  return (request: string, payload: Buffer): Buffer | undefined => {
    if (request !== REQUESTS.rotateSecret) return undefined;
    const { secret, secret_id } = JSON.parse(payload.toString());
    onSecret(secret);
    return Buffer.from(JSON.stringify({ secret_id }));
  };
}
