const SHORT = 32 << 10;
const TIMES = 4;
/** Work that takes less is nothing, on any machine. */
const NOTHING_MS = 40;

/**
 * Whether work on a text grows no faster than the text: with four times as much of it, less than eight times the
 * processor's time is spent, where work with each part for each other one takes sixteen.
 */
export function growsEvenly(work: (length: number) => void): boolean {
  const short = spentMs(() => work(SHORT));
  const long = spentMs(() => work(SHORT * TIMES));
  return long < Math.max(2 * TIMES * short, NOTHING_MS);
}

function spentMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
