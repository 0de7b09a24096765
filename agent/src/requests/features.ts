import { FEATURES } from "@rport/protocol/agent";

/** The extensions this agent can speak. */
export const OUR_FEATURES: readonly string[] = Object.values(FEATURES);
