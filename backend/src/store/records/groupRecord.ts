import { userGroupSchema } from "@rport/protocol/people/user";
import type { z } from "zod";

/** A group of users as it is kept. Who is in it stands with the users. */
export const groupRecordSchema = userGroupSchema.strict();

/** A group of users as it is kept. */
export type GroupRecord = Readonly<z.infer<typeof groupRecordSchema>>;
