import type { ClientGroupParams } from "@rport/protocol/people/clientGroup";
import { textPattern } from "../lists/textPattern.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";

/** What the clients of a group may have in common. */
type Trait = keyof ClientGroupParams;

/** A client as far as groups of clients are concerned. */
export interface TraitsOwner {
  readonly record: ClientRecord;
  readonly isConnected: boolean;
}

/** Whether a client belongs to a group. */
export type GroupFit = (traits: Traits) => boolean;

const READERS: { readonly [T in Trait]-?: (owner: TraitsOwner) => readonly string[] } = {
  client_id: ({ record }) => [record.id],
  name: ({ record }) => [record.name],
  os: ({ record }) => [record.os],
  os_arch: ({ record }) => [record.os_arch],
  os_family: ({ record }) => [record.os_family],
  os_kernel: ({ record }) => [record.os_kernel],
  hostname: ({ record }) => [record.hostname],
  ipv4: ({ record }) => record.ipv4,
  ipv6: ({ record }) => record.ipv6,
  tag: ({ record }) => record.tags,
  version: ({ record }) => [record.version],
  address: ({ record }) => [record.address],
  client_auth_id: ({ record }) => [record.client_auth_id],
  connection_state: ({ isConnected }) => [isConnected ? "connected" : "disconnected"],
};

const TRAITS = Object.keys(READERS) as readonly Trait[];

/** The traits of one client in lower case, each read once for all groups that ask for it. */
export class Traits {
  readonly #owner: TraitsOwner;
  readonly #texts = new Map<Trait, readonly string[]>();

  constructor(owner: TraitsOwner) {
    this.#owner = owner;
  }

  /** What the client has of it; several addresses or tags, or none. */
  of(trait: Trait): readonly string[] {
    const known = this.#texts.get(trait);
    if (known !== undefined) return known;
    const texts = READERS[trait](this.#owner).map((text) => text.toLowerCase());
    this.#texts.set(trait, texts);
    return texts;
  }
}

/**
 * Who belongs to a group with these parameters: whoever fits each that is given. Nobody does when
 * none is given, as in RPort.
 */
export function groupFit(params: ClientGroupParams): GroupFit {
  const fits = TRAITS.flatMap((trait) => traitFit(trait, params) ?? []);
  if (fits.length === 0) return () => false;
  return (traits) => fits.every((fit) => fit(traits));
}

function traitFit(trait: Trait, params: ClientGroupParams): GroupFit | undefined {
  const wanted = params[trait];
  if (wanted === null || wanted === undefined) return undefined;
  if (Array.isArray(wanted)) return anyFit(trait, wanted);
  return "and" in wanted ? allFit(trait, wanted.and) : anyFit(trait, wanted.or);
}

/** One of the texts has to fit; without any, the client must have none. */
function anyFit(trait: Trait, wanted: readonly string[]): GroupFit {
  const patterns = wanted.map(textPattern);
  if (patterns.length === 0) return (traits) => traits.of(trait).length === 0;
  return (traits) => traits.of(trait).some((text) => patterns.some((fits) => fits(text)));
}

function allFit(trait: Trait, wanted: readonly string[]): GroupFit {
  const patterns = wanted.map(textPattern);
  return (traits) => patterns.every((fits) => traits.of(trait).some(fits));
}
