import type { Frame } from "@rport/protocol/terminal/frame";
import type { ViewerOpening } from "@rport/protocol/terminal/terminal";

/** Why a connection of a viewer ended. */
export type LinkEnd =
  /** It can be tried again; `reason` is a sentence. */
  | { readonly kind: "lost"; readonly reason: string }
  /** It cannot. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Another window goes on with the terminal. */
  | { readonly kind: "takenOver" };

/** What a connection asks and tells. */
export interface LinkEvents {
  /** What to open it with, asked for at the moment when it is sent. */
  readonly opening: () => ViewerOpening;
  readonly onFrame: (frame: Frame) => void;
  /** Comes last, once, unless the viewer closed it itself. */
  readonly onEnd: (end: LinkEnd) => void;
}

/** One connection of a viewer. */
export interface Link {
  /** Sends a frame, encoded. What was handed over before `close` still goes out. */
  send(frame: Buffer): void;
  /** Asks the other side whether it is there, and ends as `lost` when nothing comes. */
  check(): void;
  close(): void;
  /** Ends it at once: nothing more goes out, and nothing that comes is read. */
  cut(): void;
}

/** Begins a connection. Nothing is called before it has answered. */
export type Dial = (events: LinkEvents) => Link;
