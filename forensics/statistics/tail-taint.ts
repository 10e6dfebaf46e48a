/**
 * For each score the probability that its record is no clean one: 1 − q, where q is the tail-area false discovery rate (J. D. Storey, JRSS B 64
 * (2002); B. Efron, Ann. Statist. 35 (2007)) of everything that scores as high. The clean scores stand for what chance gives, so no
 * distribution is assumed; as clean ones are thought to be among the records as many as there are records at all, the probability errs low.
 * It never falls while the score rises. Without clean scores nothing can be said: 0 for all.
 */
export function taintByTail(scores: ArrayLike<number>, clean: ArrayLike<number>): Float64Array {
  const n = scores.length;
  if (clean.length === 0) return new Float64Array(n);
  const reference = Float64Array.from(clean).sort().reverse();
  const order = Uint32Array.from({ length: n }, (_, row) => row).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  /** q of the records from the top down to each place. */
  const tail = new Float64Array(n);
  let above = 0;
  for (let from = 0; from < n;) {
    const score = scores[order[from] ?? 0] ?? 0;
    let to = from;
    while (to < n && (scores[order[to] ?? 0] ?? 0) === score) to += 1;
    while (above < reference.length && (reference[above] ?? 0) >= score) above += 1;
    // One more than were counted: with few clean scores, "none of them" is no rate of zero.
    const byChance = (above + 1) / (reference.length + 1);
    tail.fill(Math.min(1, (byChance * n) / to), from, to);
    from = to;
  }
  const taint = new Float64Array(n);
  let least = 1;
  for (let place = n - 1; place >= 0; place -= 1) {
    least = Math.min(least, tail[place] ?? 1);
    taint[order[place] ?? 0] = 1 - least;
  }
  return taint;
}
