import type { SecretId } from "@rport/protocol/ids";

/** How an agent fares that signs in with a secret of a pairing. What it says of itself is not proven. */
export interface HostStep {
  readonly kind: "waiting" | "connected" | "refused";
  readonly clientId: string;
  readonly hostname: string;
  readonly address: string;
  /** Of `refused`: the word under which it is listed. */
  readonly reason?: string;
  /** Of `refused`: what the agent was told. */
  readonly text?: string;
}

/** Is told how agents fare; those whose secret comes from no pairing are nothing to it. */
export interface PairedHosts {
  /** An agent signed in with this secret, and this is what came of it. */
  onHost(secretId: SecretId, step: HostStep): void;
}
