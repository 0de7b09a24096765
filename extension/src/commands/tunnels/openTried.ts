import { formatHostPort } from "@rport/protocol/remote";
import { displayName } from "../../model/arrange.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import {
  type LocalTunnel,
  openOnes,
  type TunnelRequest,
  type Tunnels,
} from "../../tunnels/localTunnel.ts";
import { isThisComputer, thisComputer } from "../../tunnels/thisComputer.ts";
import { tryTarget } from "./tryTarget.ts";

/** Where a tunnel is to lead, and on which port of this computer it is to answer. */
export type Wish = Pick<TunnelRequest, "remote" | "localPort">;

/** A tunnel that is open now. */
export interface Opened {
  readonly tunnel: LocalTunnel;
  /** What is known of its other end; `wasOpen`: it was open before, and nothing was tried. */
  readonly found: "answers" | "unanswered" | "notTried" | "wasOpen";
}

/** What opening one takes. */
export interface OpenTriedDeps {
  readonly tunnels: Pick<Tunnels, "of" | "open">;
  /** Whether a tunnel is opened to where nothing answers; `why` is a sentence. */
  readonly isWantedAnyway: (why: string) => Promise<boolean>;
}

/**
 * The one way in which commands, links and tools open a tunnel: one that is open already is answered, and before
 * another one is opened the host tries the place. Answers undefined when nothing answered there and none was
 * wanted. Throws why no tunnel can lead there.
 */
export async function openTried(
  target: ClientTarget,
  wish: Wish,
  { tunnels, isWantedAnyway }: OpenTriedDeps,
): Promise<Opened | undefined> {
  const { server, client } = target;
  const known = openOnes(tunnels.of(server.key, client.id)).find((each) => isThatOne(each, wish));
  if (known !== undefined) return { tunnel: known, found: "wasOpen" };
  const trial = await tryTarget(target, wish.remote);
  if (trial.kind === "unanswered" && !(await isWantedAnyway(trial.why))) return undefined;
  const isTried = trial.kind === "answers";
  return { tunnel: await tunnels.open({ ...request(target, wish), isTried }), found: trial.kind };
}

function request({ server, client }: ClientTarget, { remote, localPort }: Wish): TunnelRequest {
  return {
    remote,
    localPort,
    serverKey: server.key,
    clientId: client.id,
    clientName: displayName(client),
    isThisComputer: isThisComputer(client, thisComputer()),
  };
}

/** Whether a tunnel is what was asked for; on another local port, there may be several to one target. */
function isThatOne({ remote, localPort }: LocalTunnel, wish: Wish): boolean {
  const isThere = formatHostPort(remote) === formatHostPort(wish.remote);
  return isThere && (wish.localPort === undefined || wish.localPort === localPort);
}
