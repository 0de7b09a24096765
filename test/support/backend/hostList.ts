import type { ListSpec } from "../../../backend/src/lists/listSpec.ts";

/** What stands in the list of these tests. */
export interface Host {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly seen: string | null;
}

/** What can be asked of it. */
export const hostList: ListSpec<Host> = {
  resource: "hosts",
  filters: {
    id: (host) => host.id,
    name: (host) => host.name,
    tags: (host) => host.tags,
    seen: (host) => host.seen,
  },
  times: ["seen"],
  order: (host) => host.id,
  sorts: { id: (host) => host.id, name: (host) => host.name },
  fields: { id: (host) => host.id, name: (host) => host.name, tags: (host) => host.tags },
  defaultFields: ["id"],
};
