import { REQUESTS } from "@rport/protocol/agent";
import { Connection } from "@rport/protocol/wire/connection";
import { clientTransport } from "@rport/protocol/wire/transport";
import { RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import { WebSocket } from "ws";
import { serve } from "./childPort.ts";
import { introductionOf } from "./introduction.ts";
import type { SwarmOrder } from "./swarm.ts";

/** How a flood's attempts ended: let in (and still there), or by the server's words, or by why. */
export type FloodEnds = Readonly<Record<string, number>>;

/** They come from so many addresses of 127.2.0.0/16. */
const ADDRESSES = 250;
const ANSWER_MS = 60_000;
const REASON_LENGTH = 60;

/** Attempts that a thief makes who has a secret: each as a host that nobody has ever seen. */
class Flooder {
  readonly #ends = new Map<string, number>();
  readonly #kept: Connection[] = [];

  /** Tries once for each number; whoever is let in stays. */
  async flood(order: SwarmOrder): Promise<FloodEnds> {
    const numbers = Array.from({ length: order.count }, (_, n) => order.from + n);
    const worker = async () => {
      for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) {
        const end = await this.#try(order, next).catch(nameOf);
        this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: order.parallel }, worker));
    return Object.fromEntries(this.#ends);
  }

  stop(): void {
    for (const connection of this.#kept.splice(0)) connection.close("the flood is over");
  }

  async #try({ server, authId, secret }: SwarmOrder, number: number): Promise<string> {
    const ws = new WebSocket(server, {
      headers: { "Sec-WebSocket-Protocol": "rport-v1" },
      perMessageDeflate: false,
      localAddress: `127.2.0.${1 + (number % ADDRESSES)}`,
    });
    const login = { user: authId, password: secret, verifyServerKey: () => true };
    const transport = clientTransport(ws, login);
    const connection = new Connection(transport, {
      onOpen: () => ({ refuse: "no" }),
      onRequest: () => {
        throw new RequestRefused("unknown request");
      },
    });
    await transport.ready;
    const introduction = introductionOf(number);
    const reply = await connection.request(REQUESTS.newConnection, introduction, ANSWER_MS);
    if (reply.ok) {
      this.#kept.push(connection);
      return "let in";
    }
    connection.close("refused");
    return reply.payload.toString("utf8", 0, REASON_LENGTH);
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof WireError)) return String(error).slice(0, REASON_LENGTH);
  return `${error.kind}: ${error.message.slice(0, REASON_LENGTH)}`;
}

const flooder = new Flooder();
const handlers = {
  flood: (order: SwarmOrder) => flooder.flood(order),
  stop: () => flooder.stop(),
};

/** What a flooder can be asked. */
export type FlooderHandlers = typeof handlers;

serve(handlers);
