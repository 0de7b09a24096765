import type { ClientGroupParams } from "@rport/protocol/people/clientGroup";
import type { ItemTexts } from "../lists/itemTexts.ts";
import type { Column } from "../lists/listSpec.ts";
import { textPattern } from "../lists/textPattern.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";

/** What the clients of a group may have in common. */
type Trait = keyof ClientGroupParams;

/** A client as far as groups of clients are concerned. */
export interface GroupableClient {
  readonly record: ClientRecord;
  readonly isConnected: boolean;
}

/** Whether a client belongs to a group; its texts are read once for all groups that ask. */
export type GroupFit = (client: ItemTexts<GroupableClient>) => boolean;

/** Where each of the traits stands. */
export const TRAIT_COLUMNS: { readonly [T in Trait]-?: Column<GroupableClient> } = {
  client_id: ({ record }) => record.id,
  name: ({ record }) => record.name,
  os: ({ record }) => record.os,
  os_arch: ({ record }) => record.os_arch,
  os_family: ({ record }) => record.os_family,
  os_kernel: ({ record }) => record.os_kernel,
  hostname: ({ record }) => record.hostname,
  ipv4: ({ record }) => record.ipv4,
  ipv6: ({ record }) => record.ipv6,
  tag: ({ record }) => record.tags,
  version: ({ record }) => record.version,
  address: ({ record }) => record.address,
  client_auth_id: ({ record }) => record.client_auth_id,
  connection_state: ({ isConnected }) => (isConnected ? "connected" : "disconnected"),
};

const TRAITS = Object.keys(TRAIT_COLUMNS) as readonly Trait[];

/**
 * Who belongs to a group with these parameters: whoever fits each that is given. Nobody does when
 * none is given, as in RPort.
 */
export function groupFit(params: ClientGroupParams): GroupFit {
  const fits = TRAITS.flatMap((trait) => traitFit(TRAIT_COLUMNS[trait], params[trait]) ?? []);
  if (fits.length === 0) return () => false;
  return (client) => fits.every((fit) => fit(client));
}

function traitFit(
  column: Column<GroupableClient>,
  wanted: ClientGroupParams[Trait],
): GroupFit | undefined {
  if (wanted === null || wanted === undefined) return undefined;
  if (Array.isArray(wanted)) return anyFit(column, wanted);
  return "and" in wanted ? allFit(column, wanted.and) : anyFit(column, wanted.or);
}

/** One of the texts has to fit; without any, the client must have none. */
function anyFit(column: Column<GroupableClient>, wanted: readonly string[]): GroupFit {
  const patterns = wanted.map(textPattern);
  if (patterns.length === 0) return (client) => client.of(column).length === 0;
  return (client) => client.of(column).some((text) => patterns.some((fits) => fits(text)));
}

function allFit(column: Column<GroupableClient>, wanted: readonly string[]): GroupFit {
  const patterns = wanted.map(textPattern);
  return (client) => patterns.every((fits) => client.of(column).some(fits));
}
