import { z } from "zod";
import { beginningOf } from "../asking/ownText.ts";
import { withoutDeceptive } from "../deceptive.ts";
import { clientParams, endpoint, none } from "../endpointEntry.ts";

/** What an answer about listening ports holds at the most. */
export const LISTENING = { ports: 256, nameCharacters: 64 } as const;

/** A program's name as it may be shown: bounded, and without characters that nobody can see. */
export function shownProcess(name: string): string {
  return withoutDeceptive(beginningOf(name, LISTENING.nameCharacters)).trim();
}

/** A TCP port of a host on which a program listens. */
export const listeningPortSchema = z.object({
  port: z.number().int().min(1).max(65_535),
  /** Where it listens: `0.0.0.0` or `::` for every address, `127.0.0.1` or `::1` for the host alone. */
  address: z.union([z.ipv4(), z.ipv6()]),
  /** Empty: the agent may not see whose it is. */
  process: z.string().max(1_000).transform(shownProcess),
});

/** A TCP port of a host on which a program listens. */
export type ListeningPort = z.infer<typeof listeningPortSchema>;

const told = {
  ports: z.array(listeningPortSchema).max(LISTENING.ports),
  /** How many there are beyond these. */
  left_out: z.number().int().nonnegative(),
};

/** What listens on a host. */
export const listeningPortsSchema = z.object(told);

/** What listens on a host. */
export type ListeningPorts = z.infer<typeof listeningPortsSchema>;

/** Asks an agent what listens on its host. */
export const askListeningSchema = z.object({});

/**
 * The agent's answer, also that it does not tell: its configuration is against it, or it does not
 * know how on this system.
 */
export const listeningAnswerSchema = z.discriminatedUnion("told", [
  z.object({ told: z.literal(true), ...told }),
  z.object({ told: z.literal(false), why: z.enum(["opted-out", "not-known"]) }),
]);

/** The agent's answer. */
export type ListeningAnswer = z.infer<typeof listeningAnswerSchema>;

/** Endpoints about what tunnels may lead to. */
export const LISTENING_ENDPOINTS = {
  /**
   * Asks the agent, which takes a moment. `CLIENT_OFFLINE`: it is away; `AGENT_CANNOT`: it does not know how;
   * `AGENT_REFUSED`: its configuration is against it.
   */
  listListening: endpoint({
    method: "GET",
    path: "/clients/:clientId/listening",
    right: "tunnels",
    params: clientParams,
    query: none,
    body: undefined,
    output: listeningPortsSchema,
    status: 200,
  }),
  /**
   * Has the client try a target, `host:port` as seen from there, before a tunnel to it is opened.
   * `ERR_CODE_REMOTE_PORT_NOT_OPEN`: nothing answers, `detail` has the client's words; `AGENT_CANNOT`:
   * it does not know the question.
   */
  tryTarget: endpoint({
    method: "POST",
    path: "/clients/:clientId/try",
    right: "tunnels",
    params: clientParams,
    query: none,
    body: z.strictObject({ remote: z.string().min(1).max(300) }),
    output: undefined,
    status: 204,
  }),
} as const;
