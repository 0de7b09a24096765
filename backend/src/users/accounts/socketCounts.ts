import type { Actor } from "../actor.ts";

/** What somebody has open: sockets of any kind, and those that carry a tunnel to an editor. */
export interface SocketCount {
  readonly sockets: number;
  readonly editorConnections: number;
}

interface OpenSocket {
  readonly actor: Actor;
  readonly isTunnel: boolean;
  readonly gone: PromiseWithResolvers<void>;
}

interface Watch {
  readonly user: string;
  readonly ending: OpenSocket[];
}

/** Which sockets users have open. */
export class SocketCounts {
  readonly #open = new Set<OpenSocket>();
  readonly #watches = new Set<Watch>();
  readonly #onChange: (user: string) => void;

  /** `onChange` hears whose number is another one. */
  constructor(onChange: (user: string) => void) {
    this.#onChange = onChange;
  }

  /** Counts a socket until the answer is called. */
  open(actor: Actor, isTunnel: boolean): () => void {
    if (!actor.hasAccount) return () => undefined;
    const socket = { actor, isTunnel, gone: Promise.withResolvers<void>() };
    const onEnded = (): void => this.#ending(socket);
    this.#open.add(socket);
    actor.ended.addEventListener("abort", onEnded, { once: true });
    this.#onChange(actor.name);
    return () => {
      socket.gone.resolve();
      actor.ended.removeEventListener("abort", onEnded);
      if (this.#open.delete(socket)) this.#onChange(actor.name);
    };
  }

  /**
   * Watches the user's sockets that end from now on because what opened them works no longer.
   * `finish` resolves when these are gone, with how many there were.
   */
  watch(user: string): { finish(): Promise<SocketCount> } {
    const watch: Watch = { user, ending: [] };
    this.#watches.add(watch);
    return {
      finish: async () => {
        this.#watches.delete(watch);
        await Promise.all(watch.ending.map(({ gone }) => gone.promise));
        return counted(watch.ending);
      },
    };
  }

  /** What the user has open now. */
  of(user: string): SocketCount {
    return counted([...this.#open].filter(({ actor }) => actor.name === user));
  }

  #ending(socket: OpenSocket): void {
    for (const { user, ending } of this.#watches) {
      if (socket.actor.name === user) ending.push(socket);
    }
  }
}

function counted(sockets: readonly OpenSocket[]): SocketCount {
  const { length } = sockets.filter(({ isTunnel }) => isTunnel);
  return { sockets: sockets.length - length, editorConnections: length };
}
