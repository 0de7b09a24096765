import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import type { ShownHost } from "../../../backend/src/credentials/admission/doubts.ts";
import type { AcceptedLogin } from "../../../backend/src/credentials/admission/verdicts.ts";
import type { Newcomer } from "../../../backend/src/credentials/admission/waitingRoom.ts";
import type { Credentials } from "../../../backend/src/credentials/credentials.ts";

/** A client that asks to be let in, and its connection. */
export interface TestNewcomer extends Newcomer {
  /** Ends its connection. */
  leave(): void;
  /** How often it was told that it has to wait. */
  readonly helds: () => number;
}

/** A patient client of that id, unless `change` says otherwise. */
export function newcomerOf(id: string, change: Partial<Newcomer> = {}): TestNewcomer {
  const { promise: closed, resolve: leave } = Promise.withResolvers<void>();
  let count = 0;
  return {
    clientId: clientIdSchema.parse(id),
    name: id,
    hostname: `${id}.example.com`,
    osFullName: "Debian 12.5",
    address: "192.0.2.7",
    hostKey: "",
    isPatient: true,
    closed,
    leave,
    onHeld: () => {
      count += 1;
    },
    helds: () => count,
    ...change,
  };
}

/** A host without a key, as RPort's own client is. */
export function keyless(clientId: ClientId): ShownHost {
  return { clientId, hostKey: "", address: "192.0.2.7" };
}

/** Signs in, as the agent door does. Throws the reason of a refusal. */
export async function logIn(
  credentials: Credentials,
  id: string,
  password: string,
): Promise<AcceptedLogin> {
  const login = await credentials.login(id, password, "192.0.2.7");
  if (login.kind === "refused") throw new Error(login.why);
  return login;
}
