import type { OnFault } from "@rport/protocol/wire/contain";
import { textOf } from "./errorText.ts";
import type { Log } from "./log.ts";

/** For what callbacks throw: tells the log that this is a fault of the agent, and nobody else. */
export function loggedFault(log: Pick<Log, "error">, what: string): OnFault {
  return (error) => log.error("a fault of the agent", { what, error: textOf(error) });
}
