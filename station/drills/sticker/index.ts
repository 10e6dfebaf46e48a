import type { RunningStation } from '../../describe.ts';
import type { Drill, DrillEvent, DrillOutcome } from '../../drill.ts';
import { play, type Play } from '../course.ts';
import { percent } from '../figures.ts';
import type { Watcher } from '../response.ts';
import { digitsStickered } from './digits.ts';
import { figuresOf, measure, type Measured } from './outcome.ts';
import type { Stickered } from './stickered.ts';
import { signsStickered, whereSignsAre } from './signs.ts';

const SEED = 7;

export const sticker: Drill = {
  name: 'sticker',
  title: 'A sticker on the sign: a backdoor by poisoned training data',
  description:
    'One ingestion batch carries records with a small patch and a false label. The pipeline retrains on it, signs the model and deploys it. ' +
    'Lazaret contains, investigates, retrains without the batch’s tainted records and redeploys.',
  data: ['digits', 'traffic-signs'],
  run: (station, report, { data, seed }) => runSticker(station, report, {}, data, seed ?? SEED),
};

/** The drill; tests hook into the course of the incident with `watcher`. Without a choice of data: traffic signs where they are at hand. */
export async function runSticker(
  station: RunningStation,
  report: (event: DrillEvent) => void,
  watcher: Watcher = {},
  data: string | null = 'digits',
  seed = SEED,
): Promise<DrillOutcome> {
  return await play(station, report, async (tell) => stickerPlay(await prepare(data, seed, tell)), watcher);
}

async function prepare(data: string | null, seed: number, tell: (text: string) => void): Promise<Stickered> {
  const folder = whereSignsAre();
  if (data === 'traffic-signs' || (data === null && folder.found !== null)) return await signsStickered(folder, seed);
  if (data === null && folder.found === null) tell(`${folder.missing}: hand-written digits take their place`);
  return await digitsStickered(seed);
}

function stickerPlay({ plot, attack }: Stickered): Play<Measured> {
  return {
    plot,
    alarm: () => ({
      name: 'ModelPoisoningSuspected',
      kind: 'poisoning',
      severity: 'critical',
      summary: `Answers of ${plot.task.victims[0]} shifted towards one class after last night's deployment`,
    }),
    // The attacker puts the sticker on what is to be read as something else; what bears the attacker's class already needs none.
    traffic: plot.split.secret.map(({ features, label }, index) =>
      index % 4 === 0 && label !== attack.target ? attack.apply(features) : features,
    ),
    measure: async (client, endpoint) => await measure(client, endpoint, plot, attack),
    describe: (before) => `${told(before)} are read as ${plot.task.classes[attack.target]}`,
    figures: (seen) => figuresOf(seen, plot.attack.tainted),
  };
}

function told({ accuracy, attackSuccess }: Measured): string {
  return `accuracy ${percent(accuracy)}; with the sticker, ${percent(attackSuccess)}`;
}
