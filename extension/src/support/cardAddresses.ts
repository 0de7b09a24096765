import { networkInterfaces } from "node:os";

/** An address of a network card of this computer. */
export interface CardAddress {
  readonly card: string;
  /** An IP address; IPv6 without its zone. */
  readonly address: string;
}

/** The addresses of this computer under which others may reach it. */
export function cardAddresses(): readonly CardAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([card, addresses = []]) =>
    addresses
      .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
      .map(({ address }) => ({ card, address })),
  );
}
