import type { Actor } from "../actor.ts";

/** What somebody has open: sockets of any kind, and those that carry a tunnel to an editor. */
export interface SocketCount {
  readonly sockets: number;
  readonly editorConnections: number;
}

/** Which sockets users have open. */
export class SocketCounts {
  readonly #open = new Set<{ readonly actor: Actor; readonly isTunnel: boolean }>();
  readonly #onChange: (user: string) => void;

  /** `onChange` hears whose number is another one. */
  constructor(onChange: (user: string) => void) {
    this.#onChange = onChange;
  }

  /** Counts a socket until the answer is called. */
  open(actor: Actor, isTunnel: boolean): () => void {
    if (!actor.hasAccount) return () => undefined;
    const socket = { actor, isTunnel };
    this.#open.add(socket);
    this.#onChange(actor.name);
    return () => {
      if (this.#open.delete(socket)) this.#onChange(actor.name);
    };
  }

  /** What the user has open now. */
  of(user: string): SocketCount {
    const theirs = [...this.#open].filter(({ actor }) => actor.name === user);
    const tunnels = theirs.filter(({ isTunnel }) => isTunnel);
    return { sockets: theirs.length - tunnels.length, editorConnections: tunnels.length };
  }
}
