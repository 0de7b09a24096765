import {
  AGENT_ANSWER_MAX_BYTES,
  FEATURES,
  REQUESTS,
  type RequestEnded,
  requestEndedSchema,
  SILENT_REQUESTS,
} from "@rport/protocol/agent";
import { type HeldTerminal, heldTerminalSchema } from "@rport/protocol/terminal/terminal";
import type { Notice } from "./notices.ts";

/** What stands around an answer in the message that brings it. */
const ENVELOPE_BYTES = 1_024;
/** What nobody reads may be as large as the connection lets through. */
const UNREAD_MAX_BYTES = 16 << 20;

/** Names, accounts and a reason, however their letters are written. */
const TERMINAL_ENDED_MAX_BYTES = 16 << 10;

/** A request that the agent had accepted has ended. */
const REQUEST_ENDED: Notice<RequestEnded> = {
  name: REQUESTS.requestEnded,
  maxBytes: AGENT_ANSWER_MAX_BYTES + ENVELOPE_BYTES,
  schema: requestEndedSchema,
  isExpected: (session) => session.expectsEnds,
  handle: (ended, session) => session.requestEnded(ended),
};

/** A terminal of somebody has ended. */
const TERMINAL_ENDED: Notice<HeldTerminal> = {
  name: REQUESTS.terminalEnded,
  maxBytes: TERMINAL_ENDED_MAX_BYTES,
  schema: heldTerminalSchema,
  isExpected: ({ features }) => features.includes(FEATURES.terminal),
  handle: (held, session) => session.terminalEnded(held),
};

/**
 * What agents may say by themselves once they are in. A new message from agents is one entry here;
 * its name and its schema stand in the protocol.
 */
export const FROM_AGENTS: readonly Notice[] = [
  unread(REQUESTS.ping),
  ...SILENT_REQUESTS.map((name) => unread(name)),
  REQUEST_ENDED,
  TERMINAL_ENDED,
];

/** Taken, so that agents which send it go on; that the agent was heard is all it does. */
function unread(name: string): Notice {
  return { name, maxBytes: UNREAD_MAX_BYTES, schema: undefined, handle: () => true };
}
