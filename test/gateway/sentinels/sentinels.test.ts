import { beforeAll, describe, expect, it } from '@jest/globals';
import { profileSchema, type Profile } from '../../../domain/contracts/golden.ts';
import type { SentinelEvent } from '../../../gateway/sentinels/event.ts';
import type { Alarm } from '../../../gateway/sentinels/sentinel.ts';
import { createSentinels, type SentinelOptions } from '../../../gateway/sentinels/sentinels.ts';
import { asked, clean, CLASSES, goldenProfile, normal, randomOf, record, WIDTH, type Random } from './streams.ts';

let profile: Profile;
beforeAll(async () => {
  profile = await goldenProfile();
});

const BEFORE = 2100;

/** Clean requests, then `requests` of a stream; the alarms after its beginning, with their delay. */
function watch(
  event: (random: Random, at: number) => SentinelEvent,
  requests = 1000,
  options: SentinelOptions & { seed?: number } = {},
): (Alarm & { delay: number })[] {
  const random = randomOf(options.seed ?? 77);
  const sentinels = createSentinels(profile, options);
  const found: (Alarm & { delay: number })[] = [];
  for (let at = 0; at < BEFORE + requests; at++) {
    const alarms = sentinels.observe(at < BEFORE ? clean(random) : event(random, at));
    for (const alarm of alarms) found.push({ ...alarm, delay: at - BEFORE });
  }
  return found;
}

const names = (alarms: readonly Alarm[]): string[] => [...new Set(alarms.map(({ sentinel }) => sentinel))].sort();
const any = (random: Random): Float32Array => record(Math.floor(random() * CLASSES), random);

describe('on clean requests', () => {
  it('no sentinel alarms', () => {
    expect(watch(clean, 10_000)).toEqual([]);
  });

  it('no sentinel alarms where the same health probe is asked again and again among them', () => {
    const probe = record(0, randomOf(3));
    expect(watch((random) => (random() < 0.02 ? asked(probe, { client: 'probe' }) : clean(random)), 2000)).toEqual([]);
  });

  it('nor where nothing is known of the stream: an old golden record leaves sentinels out and says so', () => {
    const { stream: _, ...old } = profile;
    const sentinels = createSentinels(profileSchema.parse(old));
    const random = randomOf(4);
    for (let at = 0; at < 3000; at++) expect(sentinels.observe(clean(random))).toEqual([]);
    expect(sentinels.state()['general']).toMatchObject({ streamProfile: 'the golden profile has none', unread: 0 });
    expect(sentinels.state()['extraction']).toBeUndefined();
  });
});

describe('each sentinel sees what it is for', () => {
  it('feature-drift: one feature that moved by half a deviation', () => {
    const alarms = watch((random) => {
      const row = any(random);
      row[4] = (row[4] ?? 0) + 0.5 * (profile.features[4]?.sd ?? 0);
      return asked(row, { client: `client-${Math.floor(random() * 10)}` });
    });
    expect(alarms[0]).toMatchObject({ sentinel: 'feature-drift', kind: 'drift', figures: { feature: 4 } });
    expect(alarms[0]?.delay).toBeLessThan(500);
  });

  it('class-mix: one class of three in eight of ten answers', () => {
    const alarms = watch((random) => {
      const row = record(random() < 0.7 ? 1 : Math.floor(random() * CLASSES), random);
      return asked(row, { client: `client-${Math.floor(random() * 10)}` });
    });
    expect(names(alarms)).toContain('class-mix');
    expect(alarms.find(({ sentinel }) => sentinel === 'class-mix')).toMatchObject({ figures: { class: 1 } });
  });

  it('outliers: one request in twenty of noise', () => {
    const alarms = watch((random) => {
      if (random() >= 0.05) return clean(random);
      return asked(
        Float32Array.from({ length: WIDTH }, () => 10 * (random() - 0.5)),
        { client: 'client-1' },
      );
    });
    expect(alarms.find(({ sentinel }) => sentinel === 'outliers')?.delay).toBeLessThan(500);
  });

  it('shared-patch: two dark cells that are equally bright in one request of fifty, and the class they lead to', () => {
    const alarms = watch((random) => {
      const row = any(random);
      if (random() >= 0.02) return asked(row, { client: `client-${Math.floor(random() * 10)}` });
      [row[WIDTH - 2], row[WIDTH - 1], row[2]] = [0.9, 0.9, 9];
      return asked(row, { client: `client-${Math.floor(random() * 10)}` });
    });
    expect(alarms.find(({ sentinel }) => sentinel === 'shared-patch')).toMatchObject({
      kind: 'poisoning',
      figures: { class: 2 },
    });
  });

  it('confidence and entropy: a model that is less sure than it was', () => {
    const alarms = watch((random) => {
      const event = clean(random);
      const answer = event.answer!;
      const probabilities = Array.from(answer.probabilities, (p) => 0.6 * p + 0.4 / CLASSES);
      return { ...event, answer: { ...answer, probabilities, confidence: Math.max(...probabilities) } };
    });
    expect(names(alarms)).toEqual(expect.arrayContaining(['confidence', 'entropy']));
  });

  it('disagreement: a mirrored model that says something else one time in four', () => {
    const alarms = watch((random) => {
      const event = clean(random);
      const own = event.answer?.predicted ?? 0;
      return { ...event, mirrored: random() < 0.25 ? (own + 1) % CLASSES : own };
    });
    expect(names(alarms)).toEqual(['disagreement']);
    expect(alarms[0]).toMatchObject({ kind: 'tampering' });
  });

  it('load: one answer in eight that takes ten times as long, and requests that fail', () => {
    expect(names(watch((random) => ({ ...clean(random), latencyUs: random() < 0.125 ? 5000 : 400 })))).toEqual([
      'load',
    ]);
    const failing = watch((random) =>
      random() < 0.125 ? { at: 0, client: 'client-1', ok: false, latencyUs: 100 } : clean(random),
    );
    expect(names(failing)).toEqual(['load']);
  });

  it('fairness: a group that is answered otherwise than after the release', () => {
    const random = randomOf(6);
    const sentinels = createSentinels(profile);
    const found: Alarm[] = [];
    for (let at = 0; at < 6000; at++) {
      const group = random() < 0.5 ? 'a' : 'b';
      // Of group b one class is answered as another; the mix of all moves half as much.
      const event = asked(
        record(at > 3000 && group === 'b' && random() < 0.5 ? 2 : Math.floor(random() * CLASSES), random),
        {
          protected: { group },
          client: `client-${Math.floor(random() * 10)}`,
        },
      );
      found.push(...sentinels.observe(event));
    }
    expect(found.find(({ sentinel }) => sentinel === 'fairness')?.statement).toContain('group=b');
  });

  it('calibration: labels that come back otherwise than the model is sure of', () => {
    const sentinels = createSentinels(profile);
    const random = randomOf(7);
    const say = (wrong: number): readonly Alarm[] => {
      const { predicted, confidence } = asked(any(random)).answer!;
      const right = random() < confidence * (1 - wrong);
      return sentinels.feedback({ at: 0, client: 'c', predicted, confidence, label: right ? predicted : CLASSES });
    };
    expect(Array.from({ length: 3000 }, () => say(0)).flat()).toEqual([]);
    expect(names(Array.from({ length: 500 }, () => say(0.3)).flat())).toEqual(['calibration']);
  });

  it('extraction: a client that asks noise is named, within thirty questions', () => {
    let questions = 0;
    const alarms = watch((random) => {
      if (random() >= 0.1) return clean(random);
      questions++;
      return asked(
        Float32Array.from({ length: WIDTH }, () => 10 * (random() - 0.5)),
        { client: 'thief' },
      );
    });
    const own = alarms.find(({ sentinel, client }) => sentinel === 'extraction' && client === 'thief');
    expect(own?.figures['questions']).toBeLessThan(30);
    expect(questions).toBeGreaterThan(30);
  });

  it('probing: a client that changes one input a little, over and over', () => {
    const start = record(0, randomOf(9));
    const alarms = watch((random) => {
      if (random() >= 0.1) return clean(random);
      const row = start.slice();
      const at = Math.floor(random() * 8);
      row[at] = (row[at] ?? 0) + 0.2 * normal(random);
      return asked(row, { client: 'searcher' });
    });
    expect(alarms.find(({ sentinel }) => sentinel === 'probing')).toMatchObject({
      client: 'searcher',
      kind: 'evasion',
    });
  });
});

describe('an attacker', () => {
  it('who takes a new name for every question is seen in the pool of newcomers, and the memory does not grow', () => {
    const before = createSentinels(profile);
    const size = Object.keys(before.state()).length;
    const alarms = watch(
      (random, at) =>
        random() < 0.5
          ? clean(random)
          : asked(
              Float32Array.from({ length: WIDTH }, () => 10 * (random() - 0.5)),
              { client: `name-${at}` },
            ),
      4000,
    );
    expect(alarms.some(({ sentinel, client }) => sentinel === 'extraction' && client === '(newcomers together)')).toBe(
      true,
    );
    expect(size).toBeGreaterThan(0);
  });

  it('with a hundred thousand names fills no place: those who were long there keep theirs', () => {
    const sentinels = createSentinels(profile);
    const random = randomOf(12);
    for (let at = 0; at < 1000; at++) sentinels.observe(clean(random));
    const one = any(random);
    for (let at = 0; at < 30_000; at++) sentinels.observe(asked(one, { client: `name-${at}` }));
    expect(sentinels.state()['extraction']).toMatchObject({ clients: 266, forgotten: 30_000 - 256 });
  });

  it('who moves a feature slowly cannot drag the reference along: a shift over ten thousand requests is seen all the same', () => {
    const alarms = watch((random, at) => {
      const row = any(random);
      row[4] = (row[4] ?? 0) + ((at - BEFORE) / 10_000) * (profile.features[4]?.sd ?? 0);
      return asked(row, { client: `client-${Math.floor(random() * 10)}` });
    }, 10_000);
    expect(alarms[0]).toMatchObject({ sentinel: 'feature-drift', figures: { feature: 4 } });
  });

  it('who sends a row of another width, or what is no number, stops nothing', () => {
    const sentinels = createSentinels(profile);
    expect(sentinels.observe(asked(new Float32Array(3)))).toEqual([]);
    expect(sentinels.observe(asked(new Float32Array(WIDTH).fill(NaN)))).toEqual([]);
    expect(sentinels.state()['general']).toMatchObject({ unread: 1 });
  });

  it('is not missed because an alarm was given: a sentinel that was quiet speaks again', () => {
    const alarms = watch(
      (random) => {
        const event = clean(random);
        return { ...event, mirrored: ((event.answer?.predicted ?? 0) + 1) % CLASSES };
      },
      3500,
      { quiet: 1000 },
    );
    expect(alarms.filter(({ sentinel }) => sentinel === 'disagreement').length).toBe(4);
  });
});

describe('what no sentinel sees', () => {
  it('is one stickered request in fifty where the hold-out has a hundred records: nothing so rare is known to be rare', async () => {
    const small = createSentinels(await goldenProfile(100));
    const random = randomOf(31);
    const found: string[] = [];
    for (let at = 0; at < 2000; at++) {
      const row = any(random);
      if (random() < 0.02) [row[WIDTH - 2], row[WIDTH - 1], row[2]] = [0.9, 0.9, 9];
      found.push(...names(small.observe(asked(row, { client: `client-${at % 10}` }))));
    }
    expect(found).not.toContain('shared-patch');
  });

  it('is a client who asks for a copy what everybody asks', () => {
    const alarms = watch((random) => (random() < 0.2 ? asked(any(random), { client: 'insider' }) : clean(random)));
    expect(alarms).toEqual([]);
  });
});
