import { REQUESTS, type RequestEnded, UNKNOWN_REQUEST } from "@rport/protocol/agent";
import type { HeldTerminal } from "@rport/protocol/terminal/terminal";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { z } from "zod";
import type { LiveSession } from "../liveSession.ts";

/** One thing that agents may say by themselves; it is answered with nothing. */
export interface Notice<Said = unknown> {
  readonly name: string;
  /** Larger ones are refused, and counted. */
  readonly maxBytes: number;
  /** What is said, as JSON; others are refused, and counted. Undefined: nobody reads it. */
  readonly schema: z.ZodType<Said> | undefined;
  /** Whether the server waits for such a thing; else it is refused unread. Left out: at any time. */
  isExpected?(session: NoticeTarget): boolean;
  /**
   * What the server does about it. Notices of one agent come in order, one after the other, so this
   * must not wait for anything that the same agent answers. False: it is about nothing that there
   * is; then it is refused, and counted.
   */
  handle(said: Said, session: NoticeTarget): boolean;
}

/** A session, as far as what its agent says by itself is about it. */
export interface NoticeTarget extends LiveSession {
  /** Whether any long request is under way. */
  readonly expectsEnds: boolean;
  /** A long request has ended; false: none of its number is under way. */
  requestEnded(ended: RequestEnded): boolean;
  /** A terminal has ended; false: no user had such a one on its host. */
  terminalEnded(held: HeldTerminal): boolean;
}

/** Why something was not taken: a line for the log, a text for the agent. */
export interface NoticeFault {
  readonly line: string;
  readonly text: string;
}

const LINE = "agent sent an unknown request";
const UNKNOWN: NoticeFault = { line: LINE, text: UNKNOWN_REQUEST };
const AGAIN: NoticeFault = { line: LINE, text: "unexpected connection request. please reconnect" };
const MALFORMED: NoticeFault = {
  line: "agent sent a malformed request",
  text: "the request is too large or not of its form",
};

/** What agents may say by themselves, by name; nothing else is taken. */
export class Notices {
  readonly #byName: ReadonlyMap<string, Notice>;

  constructor(list: readonly Notice[]) {
    this.#byName = new Map(list.map((notice) => [notice.name, notice]));
  }

  /** Does what there is to do about it. Answers with why it did nothing, or undefined. */
  take(name: string, payload: Buffer, session: NoticeTarget): NoticeFault | undefined {
    const notice = this.#byName.get(name);
    if (notice === undefined) return name === REQUESTS.newConnection ? AGAIN : UNKNOWN;
    if (payload.length > notice.maxBytes) return MALFORMED;
    if (notice.isExpected?.(session) === false) return UNKNOWN;
    if (notice.schema === undefined) {
      return notice.handle(undefined, session) ? undefined : UNKNOWN;
    }
    const said = notice.schema.safeParse(parseJsonPayload(payload, notice.maxBytes));
    if (!said.success) return MALFORMED;
    return notice.handle(said.data, session) ? undefined : UNKNOWN;
  }
}
