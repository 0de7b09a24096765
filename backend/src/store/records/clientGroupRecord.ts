import { clientGroupInputSchema } from "@rport/protocol/people/clientGroup";
import type { z } from "zod";

/** A group of clients as it is kept. Who is in it follows from `params`. */
export const clientGroupRecordSchema = clientGroupInputSchema;

/** A group of clients as it is kept. */
export type ClientGroupRecord = Readonly<z.infer<typeof clientGroupRecordSchema>>;
