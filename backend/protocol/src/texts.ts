import { z } from "zod";

/** Times travel as RFC 3339 text in UTC. */
export const time = z.iso.datetime({ offset: true });
/** A line of text from an agent: shown, never interpreted. */
export const line = z.string().max(1_000);
