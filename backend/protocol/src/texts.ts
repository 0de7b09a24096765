import { z } from "zod";

/** Times travel as RFC 3339 text in UTC. */
export const time = z.iso.datetime({ offset: true });
/** RFC 3339 lets the fraction of a second go on for ever. */
export const TIME_MAX = 40;
/** A time that somebody asks for, and that is kept as it came. */
export const givenTime = time.max(TIME_MAX);
/** A line of text from an agent: shown, never interpreted. */
export const line = z.string().max(1_000);
