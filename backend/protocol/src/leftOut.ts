import { z } from "zod";

/** Most tunnels that an agent may ask for at once. */
export const REMOTES_MAX = 64;

/**
 * A tunnel that a host asks for and that this server cannot open: the host is in without it. Both are
 * one line: what it asked for as it stands in `rport.conf`, and why not, as a sentence.
 */
export const leftOutSchema = z.object({
  remote: z.string().max(1_000),
  reason: z.string().max(1_000),
});

/** A tunnel that a host asks for and is in without. */
export type LeftOut = z.infer<typeof leftOutSchema>;
