import { ALL_FEATURES, type Capabilities } from "@rport/protocol/agent";
import { VERSION } from "@rport/protocol/version";

/** What an agent is told about this server once it is in. */
export const CAPABILITIES: Capabilities = {
  ServerVersion: VERSION,
  // 0: clients need not send measurements and addresses, nobody keeps them yet.
  MonitoringVersion: 0,
  IPAddressesVersion: 0,
  Features: [...ALL_FEATURES],
};
