/** Items by what they have in common, in the order in which each group first appears. */
export function groupBy<T, K>(items: Iterable<T>, key: (item: T) => K): [K, T[]][] {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return [...groups];
}
