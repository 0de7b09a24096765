import { ALL_FEATURES, capabilitiesSchema, REQUESTS } from "@rport/protocol/agent";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** Takes from what the server can do the extensions that both sides speak. */
export function putCapabilities(onFeatures: (agreed: ReadonlySet<string>) => void): ServerRequest {
  return serverRequest({
    name: REQUESTS.putCapabilities,
    limits: { bytes: 64 << 10 },
    schema: capabilitiesSchema,
    answer({ Features }) {
      onFeatures(new Set(Features.filter((feature) => ALL_FEATURES.includes(feature))));
      return undefined;
    },
  });
}
