import {
  AGENT_ANSWER_MAX_BYTES,
  checkPortSchema,
  checkTunnelAllowedSchema,
  portCheckedSchema,
  REQUESTS,
  tunnelAllowedSchema,
  UNKNOWN_REQUEST,
} from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";
import { peerText } from "@rport/protocol/wire/wireError";
import type { z } from "zod";
import type { AgentLink } from "../clients/liveSession.ts";
import type { Sharer } from "../limits/sharer.ts";
import { asRefusal, notAllowed } from "./dialer.ts";

/** RPort's `check_port_timeout`. */
const PROBE_NS = 2_000_000_000;

/** What an agent is asked about, and for which user; undefined: for nobody. */
export interface AskedTarget {
  readonly target: HostPort;
  readonly asker?: Sharer | undefined;
  /** Throws once the user may not ask any more; looked at when the agent has answered, or has not. */
  readonly requireRight?: (() => void) | undefined;
}

/**
 * Asks the agent whether its own rules allow a target. Throws `TARGET_NOT_ALLOWED` when not, as
 * `AgentLink.askLong` when too much is asked, and as `requireRight`; an agent too old to know the
 * question has no rules.
 */
export async function requireAllowed(link: AgentLink, about: AskedTarget): Promise<void> {
  if (!link.hasTunnelRules) return;
  const { target } = about;
  const question = checkTunnelAllowedSchema.parse({ Remote: formatHostPort(target) });
  const reply = await asked(link, about, { name: REQUESTS.checkTunnelAllowed, question });
  if (reply === undefined) return;
  if (!read(reply, tunnelAllowedSchema).IsAllowed) throw notAllowed(target);
}

/**
 * Lets the agent try the target's port; false when it does not know how. Throws
 * `ERR_CODE_REMOTE_PORT_NOT_OPEN` when nothing answers, as `AgentLink.askLong` when too much is asked,
 * and as `requireRight`.
 */
export async function requireOpen(link: AgentLink, about: AskedTarget): Promise<boolean> {
  const HostPort = formatHostPort(about.target);
  const question = checkPortSchema.parse({ HostPort, Timeout: PROBE_NS });
  const reply = await asked(link, about, { name: REQUESTS.checkPort, question });
  if (reply === undefined) return false;
  const { Open: isOpen, ErrMsg: detail } = read(reply, portCheckedSchema);
  if (isOpen) return true;
  const title = `Nothing answers on ${HostPort} when the client tries it.`;
  throw new RportError("ERR_CODE_REMOTE_PORT_NOT_OPEN", title, {
    detail: peerText(detail),
  });
}

/** The answer, or undefined when the agent does not know the question. */
async function asked(
  link: AgentLink,
  { target, asker, requireRight }: AskedTarget,
  { name, question }: { readonly name: string; readonly question: object },
): Promise<Reply | undefined> {
  const asking = link.askLong(name, question, asker).finally(requireRight);
  const reply = await asking.catch((error: unknown) => {
    throw asRefusal(error, target);
  });
  if (reply.ok) return reply;
  const text = peerText(reply.payload.toString("utf8"));
  if (text.includes(UNKNOWN_REQUEST)) return undefined;
  throw new RportError("AGENT_REFUSED", `client error: ${text}`);
}

function read<T>(reply: Reply, schema: z.ZodType<T>): T {
  const answer = schema.safeParse(parseJsonPayload(reply.payload, AGENT_ANSWER_MAX_BYTES));
  if (answer.success) return answer.data;
  const { error: cause } = answer;
  throw new RportError("AGENT_REFUSED", "The client's answer cannot be read.", { cause });
}
