/** A figure with its interval at 95 %. */
export interface Measured {
  readonly value: number;
  readonly interval: readonly [number, number];
}

/** One answer about one person, and how it was: `favoured` by the model, `deserving` by what came of it. */
export interface Answered {
  readonly inGroup: boolean;
  readonly favoured: boolean;
  readonly deserving: boolean;
}

const Z = 1.96;

/**
 * Rate at which the group is favoured, by that of all others. Below four fifths it speaks of adverse impact (29 CFR 1607.4 D). The interval is
 * that of Katz et al. (1978), on the logarithm. [0, ∞) where a rate is 0 or nobody was asked.
 */
export function selectionRatio(answers: readonly Answered[]): Measured {
  const group = rate(answers.filter((one) => one.inGroup));
  const others = rate(answers.filter((one) => !one.inGroup));
  if (group.of * others.of === 0 || group.favoured * others.favoured === 0)
    return { value: 0, interval: [0, Infinity] };
  const value = group.share / others.share;
  const spread = Z * Math.sqrt((1 - group.share) / group.favoured + (1 - others.share) / others.favoured);
  return { value, interval: [value * Math.exp(-spread), value * Math.exp(spread)] };
}

/**
 * Equalised odds (Hardt et al. 2016): the larger of the differences between group and others in how often the deserving and the undeserving are
 * favoured. 0 where a side has none of either.
 */
export function equalisedOddsGap(answers: readonly Answered[]): number {
  const gap = (deserving: boolean): number => {
    const asked = answers.filter((one) => one.deserving === deserving);
    const [group, others] = [true, false].map((inGroup) => rate(asked.filter((one) => one.inGroup === inGroup)));
    return group && others && group.of > 0 && others.of > 0 ? Math.abs(group.share - others.share) : 0;
  };
  return Math.max(gap(true), gap(false));
}

function rate(answers: readonly Answered[]): { favoured: number; of: number; share: number } {
  const favoured = answers.filter((one) => one.favoured).length;
  return { favoured, of: answers.length, share: answers.length === 0 ? 0 : favoured / answers.length };
}
