import type { RemoteMessage } from "@rport/protocol/agent";
import { z } from "zod";

const openedSchema = z.object({
  rhost: z.string(),
  rport: z.string(),
  protocol: z.string().default("tcp"),
});
type Opened = z.infer<typeof openedSchema>;
/** What a server answers to `new_connection`: the tunnels that are open. */
const answerSchema = z.array(openedSchema);

/**
 * The tunnels of the configuration that are not among those of the server's answer, as they could
 * stand in it. None when the answer cannot be read.
 */
export function leftOutRemotes(asked: readonly RemoteMessage[], answer: Buffer): string[] {
  const opened = parseOpened(answer);
  if (opened === undefined) return [];
  const keys = new Set(opened.map(keyOf));
  return asked.filter((remote) => !keys.has(keyOf(remote))).map(textOf);
}

function parseOpened(answer: Buffer): Opened[] | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(answer.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

function keyOf({ rhost, rport, protocol }: Opened): string {
  return `${rhost}:${rport}/${protocol}`;
}

function textOf({ lport, rhost, rport, protocol }: RemoteMessage): string {
  const local = lport === "" ? "" : `${lport}:`;
  return `${local}${rhost}:${rport}${protocol === "tcp" ? "" : `/${protocol}`}`;
}
