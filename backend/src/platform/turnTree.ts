/** Those who wait below one part of a path. */
interface Branch<T> {
  /** The part whose turn it is stands first. */
  readonly children: Map<string, Branch<T>>;
  /** Those who wait here, where a path ends. */
  readonly items: T[];
  count: number;
}

/**
 * Things that wait, each under a path from a wide part to a narrow one, such as a network's prefixes.
 * On each level the parts have their turns one after the other, so whoever has many paths below one
 * part has no more of it than whoever has one.
 */
export class TurnTree<T> {
  readonly #root: Branch<T> = branch();

  /** How many wait. */
  get count(): number {
    return this.#root.count;
  }

  /** How many wait under this path. */
  countOf(path: readonly string[]): number {
    let at: Branch<T> | undefined = this.#root;
    for (const part of path) at = at?.children.get(part);
    return at?.count ?? 0;
  }

  /** Puts something at the end of its path's line. All paths have the same length. */
  push(path: readonly string[], item: T): void {
    let at = this.#root;
    at.count += 1;
    for (const part of path) {
      const child = at.children.get(part) ?? branch<T>();
      at.children.set(part, child);
      child.count += 1;
      at = child;
    }
    at.items.push(item);
  }

  /** Takes the first of the path whose turn it is. */
  shift(): T | undefined {
    return this.count === 0 ? undefined : takeFirst(this.#root);
  }

  /**
   * Takes the last that came of whoever has more than this path would have with one more, on the
   * widest part where somebody has; `undefined` where nobody has.
   */
  makeRoom(path: readonly string[]): T | undefined {
    const passed: Branch<T>[] = [];
    let at = this.#root;
    for (const part of path) {
      const own = at.children.get(part);
      const most = mostOf(at)?.[1].count ?? 0;
      if ((own?.count ?? 0) + 1 < most) {
        for (const wider of passed) wider.count -= 1;
        return takeLast(at);
      }
      if (own === undefined) return undefined;
      passed.push(at);
      at = own;
    }
    return undefined;
  }
}

function branch<T>(): Branch<T> {
  return { children: new Map(), items: [], count: 0 };
}

function takeFirst<T>(from: Branch<T>): T | undefined {
  from.count -= 1;
  const [first] = from.children;
  if (first === undefined) return from.items.shift();
  const [part, child] = first;
  const item = takeFirst(child);
  from.children.delete(part);
  if (child.count > 0) from.children.set(part, child);
  return item;
}

function takeLast<T>(from: Branch<T>): T | undefined {
  from.count -= 1;
  const most = mostOf(from);
  if (most === undefined) return from.items.pop();
  const [part, child] = most;
  const item = takeLast(child);
  if (child.count === 0) from.children.delete(part);
  return item;
}

function mostOf<T>({ children }: Branch<T>): [string, Branch<T>] | undefined {
  let most: [string, Branch<T>] | undefined;
  for (const entry of children)
    if (most === undefined || entry[1].count > most[1].count) most = entry;
  return most;
}
