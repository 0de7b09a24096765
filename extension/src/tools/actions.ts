import { RportError } from "@rport/protocol/errors";
import type { Credential } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { personalSettings } from "../commands/personalSettings.ts";
import { planRotation } from "../commands/rotation.ts";
import { graceOf, type Plan, rotationLines, standingsOf } from "../commands/rotationPlan.ts";
import { type Opened, openTried } from "../commands/tunnels/openTried.ts";
import type { Sheets } from "../install/sheets.ts";
import type { CommandName } from "../manifest.ts";
import { displayName } from "../model/arrange.ts";
import { localAddress } from "../model/rows/tunnelRow.ts";
import { isExposed } from "../model/tunnels/localHost.ts";
import type { Fleet } from "../servers/fleet.ts";
import { openOnes } from "../tunnels/localTunnel.ts";
import { chosenBindAddress } from "../tunnels/tunnelSettings.ts";
import type { Grounds } from "./confirmations.ts";
import { nameAndId, serverLines } from "./nameLines.ts";
import { clientMeant, credentialMeant } from "./subjects.ts";
import type { ACTING, ToolInput } from "./toolInputs.ts";

/** What acting needs. */
export interface ActionsDeps {
  readonly fleet: Fleet;
  readonly sheets: Sheets;
}

/** Something that is about to be done. */
export interface Intention {
  /** The command that does the same, whose rights and reach hold here, too. */
  readonly command: CommandName;
  /** What a person is asked, and what it would hit, a line each. */
  readonly question: string;
  readonly lines: readonly string[];
  /** What of this must still be so when it is done. */
  readonly grounds: Grounds;
  /** Does it; answers what came of it, without any secret. */
  readonly act: () => Promise<object>;
}

/** What each acting tool would do. Each throws `RportError` where that cannot be. */
export const INTENTIONS: {
  readonly [N in (typeof ACTING)[number]]: (
    input: ToolInput<N>,
    deps: ActionsDeps,
  ) => Promise<Intention>;
} = {
  async rport_open_tunnel(input, { fleet }) {
    const { server, client } = clientMeant(fleet, input);
    const remote = { host: input.host ?? "127.0.0.1", port: input.port };
    const listening = listeningLine(chosenBindAddress());
    return {
      command: "openTunnel",
      question: t(
        "Open a tunnel to {0} on {1}?",
        nameAndId(displayName(client), client.id),
        server.name,
      ),
      lines: [
        t("It leads to port {0} of {1}, as seen from that client.", remote.port, remote.host),
        listening,
        ...serverLines(server),
      ],
      grounds: { serverKey: server.key, state: listening, hit: [client.id] },
      act: async () => {
        let whyNot = "";
        // a person may open it anyway, by the command
        const isWantedAnyway = async (why: string) => {
          whyNot = why;
          return false;
        };
        const wish = { remote, localPort: undefined };
        const deps = { tunnels: fleet.tunnels, isWantedAnyway };
        const opened = await openTried({ server, client }, wish, deps);
        if (opened !== undefined) return openedAnswer(opened);
        throw new RportError("ERR_CODE_REMOTE_PORT_NOT_OPEN", `${whyNot} No tunnel was opened.`);
      },
    };
  },

  async rport_close_tunnel({ address }, { fleet }) {
    const tunnel = openOnes(fleet.tunnels.all).find((each) => localAddress(each) === address);
    if (tunnel === undefined) {
      throw new RportError("NOT_FOUND", `No open tunnel of this computer is at ${address}.`);
    }
    const { serverKey } = tunnel;
    return {
      command: "closeTunnel",
      question: t("Close the tunnel {0}?", address),
      lines: [
        t("It leads to {0}.", nameAndId(tunnel.clientName, tunnel.clientId)),
        t("Open connections: {0}.", tunnel.connections),
        ...serverLines(fleet.get(serverKey)),
      ],
      grounds: { serverKey, state: tunnel.id, hit: [] },
      act: async () => {
        await fleet.tunnels.close(tunnel.id);
        return { closed: address };
      },
    };
  },

  async rport_create_pairing(input, { fleet, sheets }) {
    const target = credentialMeant(fleet, input);
    const { server, credential } = target;
    return {
      command: "installClient",
      question: t("Make an install line of {0} on {1}?", credential.id, server.name),
      lines: [
        t("Whoever has the line can join a host for a few minutes. Only you see it."),
        ...serverLines(server),
      ],
      grounds: { serverKey: server.key, state: credential.created_at, hit: [] },
      act: async () => {
        await sheets.open(target);
        return { opened: "The install sheet is open. The person copies the line from it." };
      },
    };
  },

  async rport_rotate_credential(input, { fleet }) {
    const target = credentialMeant(fleet, input);
    const { server, credential } = target;
    const grace = graceOf(personalSettings.graceHours);
    const plan = await planRotation(target);
    const told = rotationGrounds(credential, plan);
    const circumstances = { isUnderWay: credential.rotation !== null, nowMs: server.time.nowMs };
    return {
      command: "rotateCredential",
      question: t("Rotate {0} on {1}?", credential.id, server.name),
      lines: [
        ...rotationLines(plan, grace, circumstances).filter((line) => line !== ""),
        ...serverLines(server),
      ],
      grounds: { serverKey: server.key, ...told },
      act: async () => {
        const body = { grace_seconds: grace.seconds ?? null };
        await server.api.call("rotateCredential", { params: { authId: credential.id }, body });
        return { rotating: credential.id, clients: plan.clients.length, grace: grace.label };
      },
    };
  },
};

/** Which secret would be replaced, and who would have to be moved later or installed again. */
function rotationGrounds(credential: Credential, plan: Plan): Omit<Grounds, "serverKey"> {
  const { created_at: createdAt, rotated_at: rotatedAt, rotation } = credential;
  const state = JSON.stringify([createdAt, rotatedAt, rotation?.started_at ?? null]);
  const { away, stuck } = standingsOf(plan);
  return { state, hit: [...away, ...stuck].map(({ id }) => id) };
}

function listeningLine(address: string): string {
  if (!isExposed(address)) return t("It answers on this computer only.");
  return t("It answers at {0}, which other computers can reach.", address);
}

const FOUND: { readonly [F in Opened["found"]]: string } = {
  answers: "Something answers at its other end.",
  unanswered: "Nothing answers at its other end.",
  notTried: "Whether something answers at its other end could not be tried.",
  wasOpen: "It was open already; whether something answers at its other end was not tried.",
};

function openedAnswer({ tunnel, found }: Opened): object {
  return { opened: localAddress(tunnel), found: FOUND[found], failure: tunnel.failure };
}
