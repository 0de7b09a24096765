import { once } from "node:events";
import type { RunningBackend } from "../backend/backend.ts";
import type { FakeClock } from "../clock.ts";
import { HOST_ID } from "./scene.ts";
import type { TerminalViewer } from "./terminalViewer.ts";

/** The server asks viewers for a sign as often as this, and ends those that give none. */
export const BEAT_MS = 30_000;

/** Passes the time until the server has asked a viewer, and has its sign; or the viewer is closed. */
export async function passBeat(
  { clock, backend }: { readonly clock: FakeClock; readonly backend: RunningBackend },
  viewer: TerminalViewer,
): Promise<void> {
  const asked = once(viewer.socket, "ping");
  clock.advance(BEAT_MS);
  await Promise.race([asked, viewer.closed]);
  // What comes later on another connection is read later.
  await backend.api("getClient", { params: { clientId: HOST_ID } });
}
