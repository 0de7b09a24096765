import type { SecretId } from "@rport/protocol/ids";

/** As much of one that waits as its place depends on. */
export interface InCrowd {
  readonly secretId: SecretId;
  readonly network: string;
}

/**
 * Which of those that wait gives its place to a newcomer when all are taken: the one that came last
 * of those with the most crowded secret, there of the most crowded network. Undefined where the
 * newcomer would be one of no smaller crowd: a single secret, or a single network with a secret that
 * many share, keeps nobody else from asking.
 */
export function whoMakesRoom<T extends InCrowd>(
  waiting: readonly T[],
  newcomer: InCrowd,
): T | undefined {
  const sharing = waiting.filter(({ secretId }) => secretId === newcomer.secretId);
  const secret = largest(waiting, (one) => one.secretId);
  if (secret.length > sharing.length + 1) return largest(secret, networkIn).at(-1);
  const network = largest(sharing, networkIn);
  const own = sharing.filter((one) => one.network === newcomer.network);
  return network.length > own.length + 1 ? network.at(-1) : undefined;
}

const networkIn = ({ network }: InCrowd): string => network;

/** The largest group of those that have the same key; empty when there is nobody. */
function largest<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const groups = [...Map.groupBy(all, keyOf).values()];
  return groups.reduce((one, other) => (other.length > one.length ? other : one), []);
}
