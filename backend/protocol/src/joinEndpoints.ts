import { z } from "zod";
import { listOf } from "./asking/untilFault.ts";
import { endpoint, none } from "./endpointEntry.ts";
import { joinSchema } from "./join.ts";

const joinParams = z.object({ joinId: joinSchema.shape.id });

/** Endpoints of first joins that wait for a person. */
export const JOIN_ENDPOINTS = {
  /** Who waits, the longest waiting first. */
  listJoins: endpoint({
    method: "GET",
    path: "/joins",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(joinSchema),
    status: 200,
  }),
  /**
   * Lets the client in, now or when it comes next within an hour. Answers with what was decided
   * about; 404 when it does not wait any more, 409 when its credential has no room for it.
   */
  approveJoin: endpoint({
    method: "POST",
    path: "/joins/:joinId/approve",
    right: "administrator",
    params: joinParams,
    query: none,
    body: undefined,
    output: joinSchema,
    status: 200,
  }),
  /** Turns the client away, and for an hour whenever it comes again; 404 as above. */
  denyJoin: endpoint({
    method: "POST",
    path: "/joins/:joinId/deny",
    right: "administrator",
    params: joinParams,
    query: none,
    body: undefined,
    output: joinSchema,
    status: 200,
  }),
} as const;
