import { type Client, clientSchema } from "@rport/protocol/model";
import type { TestApi } from "../support/backend/api.ts";

/** Clients of one page. */
const PAGE = 500;
const FIELDS = Object.keys(clientSchema.shape).join(",");

/** Every client that the REST API lists, whole, by its id. */
export async function allClients(api: Pick<TestApi, "call">): Promise<Map<string, Client>> {
  const found = new Map<string, Client>();
  for (let isLast = false; !isLast; ) {
    const query = {
      "fields[clients]": FIELDS,
      "page[limit]": String(PAGE),
      "page[offset]": String(found.size),
    };
    const page = await api.call("listClients", { query });
    for (const listed of page) {
      const client = clientSchema.parse(listed);
      found.set(client.id, client);
    }
    isLast = page.length < PAGE;
  }
  return found;
}
