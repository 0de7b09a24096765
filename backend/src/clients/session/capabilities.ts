import { type Capabilities, FEATURES } from "@rport/protocol/agent";
import { VERSION } from "@rport/protocol/version";

/** Extensions this server knows. */
export const OUR_FEATURES: readonly string[] = Object.values(FEATURES);

/** What an agent is told about this server once it is in. */
export const CAPABILITIES: Capabilities = {
  ServerVersion: VERSION,
  // 0: clients need not send measurements and addresses, nobody keeps them yet.
  MonitoringVersion: 0,
  IPAddressesVersion: 0,
  Features: [...OUR_FEATURES],
};
