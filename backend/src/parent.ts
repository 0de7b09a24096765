import { firstPairing, type OwnFace } from "./firstPairing.ts";
import { errorText } from "./platform/log.ts";

/** What the program that started this one may ask; nobody else has its channel. */
export const PARENT_ASKS = "firstPairing";

/**
 * Tells the program that started this one where it listens and what says how to enter, and makes a pairing when it asks for
 * one: it has somebody who reads the line. Without such a program nothing happens.
 */
export function tellParent(face: OwnFace, endpointFile: string): void {
  if (process.send === undefined) return;
  process.on("message", (message) => {
    if (message === PARENT_ASKS) void answer(face);
  });
  process.send({ listening: face.url, endpointFile });
}

async function answer(face: OwnFace): Promise<void> {
  try {
    process.send?.({ firstPairing: (await firstPairing(face)) ?? "" });
  } catch (error) {
    process.send?.({ failed: errorText(error) });
  }
}
