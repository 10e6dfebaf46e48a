import { createHash } from 'node:crypto';
import type { LoadedModel } from '../../domain/contracts/gateway.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { isSameModel, type ServedModel } from '../model/loader.ts';
import { createRules, type Rules } from './rules.ts';
import { createLimiter, type Limiter } from './limits.ts';
import { createTally, type Tally } from './counters.ts';

export type Role = LoadedModel['role'];

/**
 * A stance with what it needs in memory. It is never changed, only replaced as a whole between two requests: whoever holds one can tell by
 * identity whether it is still the one that counts.
 */
export type Posture = {
  readonly stance: Stance;
  readonly since: string;
  readonly tally: Tally;
} & (
  | {
      readonly answers: 'model';
      readonly arm: 'live' | 'shadow';
      readonly live: ServedModel;
      readonly candidate: {
        readonly model: ServedModel;
        readonly share: number;
        readonly salt: string;
        readonly by: 'request' | 'client';
      } | null;
      readonly standby: ServedModel | null;
      /** Runs beside what answers, on a share of the requests, and is only compared. */
      readonly observed: { readonly model: ServedModel; readonly share: number; readonly salt: string } | null;
      readonly limiter: Limiter | null;
    }
  | { readonly answers: 'rules'; readonly rules: Rules }
  | { readonly answers: 'nobody'; readonly reason: string }
);

/** The models that a stance needs, by role. */
export function modelsOf(stance: Stance): readonly (readonly [Role, ModelRef])[] {
  switch (stance.kind) {
    case 'serving':
      return stance.standby
        ? [
            ['live', stance.model],
            ['standby', stance.standby],
          ]
        : [['live', stance.model]];
    case 'canary':
      return [
        ['live', stance.model],
        ['candidate', stance.candidate],
      ];
    case 'mirror':
      return [
        ['live', stance.model],
        ['observed', stance.beside],
      ];
    case 'limited':
      return [['live', stance.model]];
    case 'shadow':
      return stance.observed
        ? [
            ['live', stance.model],
            ['observed', stance.observed],
          ]
        : [['live', stance.model]];
    case 'fallback':
    case 'isolated':
    case 'found':
      return [];
  }
}

/** Null where a model of the stance is not among `models`. `salt` decides which requests a canary answers: the order's id, which no client knows. */
export function postureOf(
  stance: Stance,
  models: readonly ServedModel[],
  about: { readonly since: string; readonly salt: string },
): Posture | null {
  const common = { stance, since: about.since, tally: createTally() };
  const find = (ref: ModelRef | null) =>
    ref === null ? null : (models.find((model) => isSameModel(model.ref, ref)) ?? undefined);
  if (stance.kind === 'isolated') return { ...common, answers: 'nobody', reason: stance.reason };
  if (stance.kind === 'fallback') return { ...common, answers: 'rules', rules: createRules(stance.rules) };
  if (stance.kind === 'found') return null;
  const live = find(stance.model);
  const candidate = find(stance.kind === 'canary' ? stance.candidate : null);
  const standby = find(stance.kind === 'serving' ? stance.standby : null);
  const observed = find(stance.kind === 'shadow' ? stance.observed : stance.kind === 'mirror' ? stance.beside : null);
  const { salt } = about;
  if (!live || candidate === undefined || standby === undefined || observed === undefined) return null;
  return {
    ...common,
    answers: 'model',
    arm: stance.kind === 'shadow' ? 'shadow' : 'live',
    live,
    candidate:
      candidate && stance.kind === 'canary'
        ? { model: candidate, share: stance.share, salt, by: stance.by ?? 'request' }
        : null,
    standby,
    observed: observed && { model: observed, share: stance.kind === 'mirror' ? stance.share : 1, salt },
    limiter: stance.kind === 'limited' ? createLimiter(stance.limits) : null,
  };
}

export function isolation(reason: string, since: string): Posture {
  return { stance: { kind: 'isolated', reason }, since, tally: createTally(), answers: 'nobody', reason };
}

/** Everything in memory, by role. */
export function loadedBy(posture: Posture): readonly (readonly [Role, ServedModel])[] {
  if (posture.answers !== 'model') return [];
  const roles: (readonly [Role, ServedModel])[] = [['live', posture.live]];
  if (posture.candidate) roles.push(['candidate', posture.candidate.model]);
  if (posture.standby) roles.push(['standby', posture.standby]);
  if (posture.observed) roles.push(['observed', posture.observed.model]);
  return roles;
}

/** May an answer of this model, made under another stance, still go out? Not past a limiter, which has not seen the request. */
export function answersWith(posture: Posture, model: ServedModel): boolean {
  return (
    posture.answers === 'model' && !posture.limiter && (posture.live === model || posture.candidate?.model === model)
  );
}

const TWO_TO_32 = 2 ** 32;

/** The same id always falls on the same side of a share under one salt. */
export function fallsIn(id: string, share: number, salt: string): boolean {
  const hash = createHash('sha256').update(`${salt}\n${id}`).digest();
  return hash.readUInt32BE(0) / TWO_TO_32 < share;
}
