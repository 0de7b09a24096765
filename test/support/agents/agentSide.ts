import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type AuthId, authIdSchema, type ClientId, secretIdSchema } from "@rport/protocol/ids";
import { Relays } from "@rport/protocol/wire/relay";
import { AgentDoor, type AgentDoorDeps } from "../../../backend/src/clients/door/agentDoor.ts";
import type { RecordRows } from "../../../backend/src/clients/registry/recordWriter.ts";
import { ClientRegistry } from "../../../backend/src/clients/registry/registry.ts";
import type {
  Admission,
  LoginResult,
} from "../../../backend/src/credentials/admission/verdicts.ts";
import type { SessionHandle } from "../../../backend/src/credentials/ports.ts";
import { type Clock, systemClock } from "../../../backend/src/platform/clock.ts";
import type { ClientRecord } from "../../../backend/src/store/clientRecord.ts";
import { createLinkDial, type LinkDial } from "../../../backend/src/tunnels/dialer.ts";
import { TunnelService } from "../../../backend/src/tunnels/service.ts";
import { testLog } from "../log.ts";
import { HOST_KEY, PASSWORD } from "../wire/wirePair.ts";

/** The one secret that opens every auth id here; the agents of `agent.ts` use it, too. */
export const SECRET = PASSWORD;

/** What a test changes about the agents' side of a backend. */
export interface AgentSideOptions {
  readonly clock?: Clock;
  readonly rows?: MemoryRows;
  readonly door?: Partial<AgentDoorDeps>;
  readonly admit?: (clientId: ClientId) => Promise<Admission>;
  readonly range?: { readonly from: number; readonly to: number };
}

/** Records in memory that survive the registry, as a database does. */
export class MemoryRows implements RecordRows {
  readonly records = new Map<ClientId, ClientRecord>();
  /** Calls of `put`. */
  writes = 0;
  /** What the next `put` fails with. */
  failure: Error | undefined;

  async all(): Promise<ClientRecord[]> {
    return [...this.records.values()].map((record) => structuredClone(record));
  }

  async put(record: ClientRecord): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    this.writes += 1;
    this.records.set(record.id, structuredClone(record));
  }

  async remove(ids: readonly ClientId[]): Promise<void> {
    for (const id of ids) this.records.delete(id);
  }

  async move(record: ClientRecord, from: ClientId): Promise<void> {
    await this.put(record);
    this.records.delete(from);
  }
}

/** Door, registry and tunnels of a backend on a real socket; credentials are the test's. */
export interface AgentSide extends AsyncDisposable {
  /** `ws://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly door: AgentDoor;
  readonly registry: ClientRegistry;
  readonly tunnels: TunnelService;
  readonly dial: LinkDial;
  readonly rows: MemoryRows;
  /** Sessions that were announced to the credentials. */
  readonly ready: SessionHandle[];
  /** `entity id`, in order. */
  readonly touched: string[];
  readonly log: readonly string[];
}

/** Starts the agents' side of a backend. */
export async function startAgentSide(options: AgentSideOptions = {}): Promise<AgentSide> {
  const { clock = systemClock, rows = new MemoryRows() } = options;
  const { log, lines } = testLog();
  const ready: SessionHandle[] = [];
  const touched: string[] = [];
  const touch = (entity: string, id: string) => void touched.push(`${entity} ${id}`);
  const secret = (id: string) =>
    ({ id: secretIdSchema.parse(id), origin: "typed", state: "active" }) as const;
  const secretOf = (_id: AuthId, id: string) => secret(id);
  const registry = await ClientRegistry.open({ rows, clock, log, touch, secretOf });
  const dial = createLinkDial(clock);
  const tunnels = new TunnelService({
    clients: registry,
    dial,
    relays: new Relays(),
    clock,
    log,
    touch,
    range: options.range,
  });
  const door = new AgentDoor({
    registry,
    tunnels,
    clock,
    log,
    hostKey: HOST_KEY,
    credentials: {
      login: async (authId, password): Promise<LoginResult> =>
        password === SECRET
          ? {
              kind: "accepted",
              credentialId: authIdSchema.parse(authId),
              secretId: secretIdSchema.parse("secret-1"),
            }
          : { kind: "refused", reason: "wrong" },
      join: async () => undefined,
      admit:
        options.admit === undefined
          ? async () => ({ kind: "admitted", secret: secret("secret-1") })
          : (_login, clientId) => options.admit?.(clientId) ?? Promise.reject(new Error("gone")),
      onSessionReady: (session) => void ready.push(session),
    },
    ...options.door,
  });
  const http = createServer();
  http.on("upgrade", (request, socket, head) =>
    door.upgrade({ request, socket, head, address: request.socket.remoteAddress ?? "" }),
  );
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    door,
    registry,
    tunnels,
    dial,
    rows,
    ready,
    touched,
    log: lines,
    async [Symbol.asyncDispose]() {
      await door.close();
      await tunnels.close();
      await registry.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
