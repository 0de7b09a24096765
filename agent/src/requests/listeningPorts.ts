import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import {
  askListeningSchema,
  LISTENING,
  type ListeningAnswer,
  type ListeningPort,
} from "@rport/protocol/tunnels/listening";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { type ListenerReader, tidied } from "../machine/listeners.ts";
import { troubleOf } from "../platform/descriptors.ts";
import { type TunnelRule, whyForbidden } from "../tunnels/allow.ts";
import { orStopped } from "./effort.ts";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** Longest look, whoever asks and however often: one serves all who ask meanwhile. */
const LOOK_MS = 8_000;
/** Longest answer while others wait for theirs: servers wait 20 s for a ping. */
const REQUEST_MS = 10_000;

/** What telling what listens needs. */
export interface ListeningDeps {
  readonly rules: readonly TunnelRule[];
  /** Undefined: it is not known how to find out on this system. */
  readonly listeners?: ListenerReader | undefined;
  /** False: the configuration is against it. */
  readonly tells: boolean;
}

/** Which ports of this host somebody listens on, as far as tunnels may reach them. */
export function listeningPorts({ rules, listeners, tells }: ListeningDeps): ServerRequest {
  let looking: Promise<readonly ListeningPort[]> | undefined;
  const look = (read: ListenerReader) => {
    looking ??= read(AbortSignal.timeout(LOOK_MS)).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  return serverRequest({
    name: REQUESTS.listeningPorts,
    feature: FEATURES.listeningPorts,
    limits: { bytes: 1 << 10, ms: REQUEST_MS },
    schema: askListeningSchema,
    async answer(_body, effort): Promise<ListeningAnswer> {
      if (!tells) return { told: false, why: "opted-out" };
      if (listeners === undefined) return { told: false, why: "not-known" };
      try {
        return answerOf(await orStopped(look(listeners), effort), rules);
      } catch (error) {
        throw new RequestRefused(`what listens here cannot be found out: ${troubleOf(error)}`);
      }
    },
  });
}

/** Who may not connect to a port is not told of it either. */
function answerOf(found: readonly ListeningPort[], rules: readonly TunnelRule[]): ListeningAnswer {
  const all = tidied(found).filter(
    ({ address, port }) => whyForbidden(rules, [reachedAt(address)], port) === undefined,
  );
  const ports = all.slice(0, LISTENING.ports);
  return { told: true, ports, left_out: all.length - ports.length };
}

/** Where a tunnel reaches it: the host itself, unless it listens on one address alone. */
function reachedAt(address: string): string {
  return address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
}
