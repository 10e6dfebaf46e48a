/** Figures in sentences for people. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `p = 0.003`, `p = 2e-31`, `p < 1e-300`. */
export function pValue(p: number): string {
  if (p === 0) return 'p < 1e-300';
  return p < 0.001 ? `p = ${p.toExponential(0)}` : `p = ${p.toFixed(3)}`;
}

const MAX_LISTED = 3;
/** The first few of a list, and how many more there are. */
export function listed(items: readonly string[]): string {
  const more = items.length - MAX_LISTED;
  return more > 0 ? `${items.slice(0, MAX_LISTED).join(', ')} and ${more} more` : items.join(', ');
}
