import type { ENDPOINTS, EndpointInput, EndpointName, EndpointOutput } from "@rport/protocol/http";
import type { AuditEntry } from "../../audit/entry.ts";

/** Endpoints that change something. */
export type ChangeName = {
  [N in EndpointName]: (typeof ENDPOINTS)[N]["method"] extends "GET" ? never : N;
}[EndpointName];

/** What a change is called, and what of it is written down; undefined: nothing changed. */
export type ChangeDescription = Pick<
  AuditEntry,
  "application" | "action" | "affectedId" | "clientId" | "clientHostname" | "request" | "response"
>;

type Describe<N extends EndpointName> = (
  input: EndpointInput<N>,
  data: EndpointOutput<N> | undefined,
) => ChangeDescription | undefined;

/** Each change's entry. */
export type ChangeDescriptions = { readonly [N in ChangeName]: Describe<N> };
