import type { FromSheet, ToSheet } from "@rport/protocol/sheet";

/** What the page remembers while its tab is hidden; VS Code keeps it, not us. */
export interface Remembered {
  /** The pairing that was shown: the host finds out by it what has become of it. */
  readonly pairing: string;
  /** Which disclosures are open. */
  readonly open: readonly string[];
}

/** The part of VS Code's webview API that the page uses. */
interface VsCodeApi {
  postMessage(message: FromSheet): void;
  getState(): unknown;
  setState(state: Remembered): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** The extension host as the page sees it. */
export interface Host {
  /** Sends a message to the extension. */
  post(message: FromSheet): void;
  /** Calls `receive` for each message of the extension. */
  listen(receive: (message: ToSheet) => void): void;
  /** What the page remembered before it was hidden or reloaded. */
  remembered(): Remembered;
  /** Remembers it for the next time. */
  remember(state: Remembered): void;
}

const NOTHING_REMEMBERED: Remembered = { pairing: "", open: [] };

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== "object" || value === null) return false;
  const { pairing, open } = value as Partial<Record<keyof Remembered, unknown>>;
  return (
    typeof pairing === "string" &&
    Array.isArray(open) &&
    open.every((name) => typeof name === "string")
  );
}

const KINDS: ReadonlySet<string> = new Set<ToSheet["type"]>([
  "state",
  "announce",
  "copied",
  "language",
]);

/**
 * Only the extension can post to this page (its content policy allows no other frame), and the
 * compiler checks both ends; so the kind of a message is all that is looked at.
 */
function isToSheet(value: unknown): value is ToSheet {
  if (typeof value !== "object" || value === null) return false;
  const { type } = value as { type?: unknown };
  return typeof type === "string" && KINDS.has(type);
}

/** Connects to VS Code; may be called once per page. */
export function connectHost(): Host {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    listen: (receive) =>
      window.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (isToSheet(data)) receive(data);
      }),
    remembered: () => {
      const state = api.getState();
      return isRemembered(state) ? state : NOTHING_REMEMBERED;
    },
    remember: (state) => api.setState(state),
  };
}
