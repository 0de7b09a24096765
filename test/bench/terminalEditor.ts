import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import { systemClock } from "../../extension/src/support/clock.ts";
import { dialTerminal } from "../../extension/src/terminals/dialTerminal.ts";
import { Session } from "../../extension/src/terminals/session.ts";
import { serve } from "./childPort.ts";
import { type OpenTerminal, SIZE, terminalHandlers } from "./terminalWork.ts";

// The extension's end of a terminal, in a process of its own as the editor is; nothing is drawn.
const [url = "", token = "", clientId = ""] = process.argv.slice(2);
const way = async () => ({ kind: "ready", url, authorization: `Bearer ${token}` }) as const;
const wish: TerminalWish = { kind: "new", env: { TERM: "xterm-256color" } };
/** The editor's terminal is asked for its status, and says that it is well. */
const STATUS_QUESTION = "\u001B[5n";
const STATUS_ANSWER = "\u001B[0n";

const open: OpenTerminal = (onShown) => {
  const fail = (what: string) => {
    throw new Error(`the terminal is over: ${what}`);
  };
  const session: Session = new Session({
    wish,
    again: wish,
    dial: dialTerminal({ way, clientId, clock: systemClock }),
    clock: systemClock,
    random: Math.random,
    show: (text) => {
      if (text.endsWith(STATUS_QUESTION)) setImmediate(() => session.type(STATUS_ANSWER));
      onShown(text.replace(STATUS_QUESTION, ""));
    },
    onCut: (reason) => reason === undefined || fail(reason),
    onAttached: () => {},
    onGone: () => {},
    onTold: fail,
    finish: () => {},
  });
  session.open(SIZE);
  return { type: (text) => session.type(text), close: () => session.close() };
};

serve(terminalHandlers(open));
