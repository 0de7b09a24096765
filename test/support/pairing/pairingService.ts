import { type AlonePairing, startAlonePairing } from "../../../backend/src/alone/pairing.ts";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { Depositors } from "../../../backend/src/pairing/desk/depositors.ts";
import { type Clock, systemClock } from "../../../backend/src/platform/clock.ts";
import { testLog } from "../log.ts";

/** The key by which the service below knows a server. */
export const SERVICE_KEY = "a-key-of-a-server-0123456789abcdef";

/** A pairing service of ours that knows one server, on a free port of 127.0.0.1. */
export async function startPairingService(
  given: { readonly clock?: Clock; readonly limits?: SetLimits } = {},
): Promise<AlonePairing & { readonly logLines: readonly string[] }> {
  const { clock = systemClock, limits = {} } = given;
  const { log, lines } = testLog();
  const service = await startAlonePairing({
    address: { host: "127.0.0.1", port: 0 },
    trustedProxies: [],
    limits,
    descriptors: undefined,
    depositors: Depositors.parse(`# the only one\nserver-1 ${SERVICE_KEY}\n`, clock),
    clock,
    log,
  });
  return { ...service, logLines: lines };
}
