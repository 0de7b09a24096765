import { PeerAgent } from "../agents/peerAgent.ts";
import type { TestApi } from "./api.ts";

/** A credential that no test uses otherwise. */
const NEIGHBOUR = "neighbour";

/** A server, and who may change its credentials. */
export interface NewServer {
  readonly api: Pick<TestApi, "call">;
  /** Where agents sign in. */
  readonly url: string;
}

/**
 * Lets an agent come in once from this machine, whose network is known from then on, as that of any
 * site with hosts is: wrong secrets from there have to wait only after many.
 */
export async function makeNetworkKnown({ api, url }: NewServer): Promise<void> {
  const { password } = await api.call("createCredential", { body: { id: NEIGHBOUR } });
  await using _agent = await PeerAgent.join({
    url: url.replace(/^http/, "ws"),
    user: NEIGHBOUR,
    password,
    introduction: { ID: NEIGHBOUR },
  });
}
