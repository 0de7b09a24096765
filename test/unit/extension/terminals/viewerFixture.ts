import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import { Viewer, type ViewerState } from "../../../../extension/src/terminals/viewer.ts";
import { FakeClock } from "../../../support/clock.ts";
import { FakeHost } from "./fakeHost.ts";

const NEW: TerminalWish = { kind: "new", env: { TERM: "xterm-256color" } };
const QUESTION = "\u001B[5n";

/** A viewer, the terminal in front of it and the host behind it. */
export async function view(
  wish: (host: FakeHost) => TerminalWish = () => NEW,
  host = new FakeHost(),
) {
  const clock = new FakeClock();
  const states: ViewerState[] = [];
  let screen = "";
  let questions = 0;
  const viewer = new Viewer({
    wish: wish(host),
    size: { cols: 80, rows: 24 },
    dial: host.dial,
    clock,
    random: () => 1,
    show: (text) => {
      questions += text.split(QUESTION).length - 1;
      screen += text.replaceAll(QUESTION, "");
    },
    onState: (state) => states.push(state),
  });
  await settled();
  return {
    host,
    viewer,
    clock,
    states,
    screen: () => screen,
    /** Questions of ours for the status that the terminal has come to. */
    asked: () => questions,
    /** The terminal answers what it was asked since. */
    answer() {
      for (; questions > 0; questions -= 1) viewer.type("\u001B[0n");
    },
  };
}

/** After everything that was begun has been answered. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
