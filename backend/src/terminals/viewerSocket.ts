import type { Duplex } from "node:stream";
import { CLOSE_CODES, type ErrorCode, RportError } from "@rport/protocol/errors";
import { FrameError } from "@rport/protocol/terminal/frame";
import {
  TERMINAL,
  type ViewerOpening,
  viewerOpeningSchema,
} from "@rport/protocol/terminal/terminal";
import type { OnFault } from "@rport/protocol/wire/contain";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Relays, Tally } from "@rport/protocol/wire/relay";
import type { WebSocket } from "ws";
import type { Clock } from "../platform/clock.ts";
import { TerminalStream } from "./terminalStream.ts";

/** A viewer says what it wants within this. */
const OPENING_MS = 10_000;

/** What is over by itself: a terminal that somebody wants to come back to may be there still. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "UNAVAILABLE",
  "CLIENT_OFFLINE",
  "AGENT_TIMEOUT",
  "TOO_MANY_REQUESTS",
  "INTERNAL",
]);

/** What a viewer's socket is served with. */
export interface ViewerSocketDeps {
  /** Opens what the viewer wants; undefined: the stream was told that it has ended. */
  readonly open: (opening: ViewerOpening, stream: TerminalStream) => Promise<Duplex | undefined>;
  readonly relays: Relays;
  /** Bytes from viewers to hosts, and back. */
  readonly tally: Tally;
  readonly clock: Clock;
  /** Told what callbacks of ours throw. */
  readonly onFault: OnFault;
}

/**
 * Serves a viewer's WebSocket: its first frame says what it wants, then frames go both ways, and take
 * their turn among all that is relayed. What is refused is closed with `CLOSE_CODES.refused` and a
 * sentence; coming back to a terminal, where that may work later, with `CLOSE_CODES.cutOff`. Resolves
 * when the socket is closed.
 */
export async function serveTerminal(ws: WebSocket, deps: ViewerSocketDeps): Promise<void> {
  const closed = new Promise<void>((resolve) => ws.once("close", () => resolve()));
  ws.on("error", () => ws.terminate());
  const stream = new TerminalStream(ws, deps.onFault);
  let isResumed = false;
  try {
    const opening = await openingOf(stream, deps);
    isResumed = opening.wish.kind === "resume";
    const channel = stream.destroyed ? undefined : await deps.open(opening, stream);
    if (channel === undefined) await closed;
    else if (!stream.destroyed) await deps.relays.join(stream, channel, deps.tally);
    else channel.destroy();
  } catch (error) {
    if (error instanceof FrameError) stream.leave(CLOSE_CODES.refused, error.message);
    else refuse(stream, RportError.from(error), isResumed);
  }
  await closed;
}

function refuse(stream: TerminalStream, { code, message }: RportError, isResumed: boolean): void {
  const isPassing = isResumed && PASSING.has(code);
  stream.leave(isPassing ? CLOSE_CODES.cutOff : CLOSE_CODES.refused, message);
}

async function openingOf(
  stream: TerminalStream,
  { clock }: Pick<ViewerSocketDeps, "clock">,
): Promise<ViewerOpening> {
  const timer = clock.after(OPENING_MS, () => {
    stream.leave(CLOSE_CODES.refused, "The terminal's viewer did not say in time what it wants.");
  });
  try {
    const json = parseJsonPayload(await stream.opening, TERMINAL.openingBytes);
    const { data } = viewerOpeningSchema.safeParse(json);
    if (data !== undefined) return data;
    throw new RportError("BAD_REQUEST", "The terminal's opening cannot be read.");
  } finally {
    timer.cancel();
  }
}
