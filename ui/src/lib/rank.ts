/** Keeps what holds every typed word, best first: at the start, at a word's start, anywhere. */
export function rank<T>(typed: string, items: readonly T[], text: (item: T) => string): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...items];
  const scored: [score: number, item: T][] = [];
  for (const item of items) {
    const hay = text(item).toLowerCase();
    let score = 0;
    for (const word of words) {
      const at = hay.indexOf(word);
      if (at < 0) {
        score = -1;
        break;
      }
      score += at === 0 ? 3 : /[\s:/_.-]/.test(hay[at - 1]!) ? 2 : 1;
    }
    if (score > 0) scored.push([score, item]);
  }
  return scored.sort(([a], [b]) => b - a).map(([, item]) => item);
}
