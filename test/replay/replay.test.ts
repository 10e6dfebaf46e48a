import { beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { STORIES } from './stories.ts';

/**
 * Incidents that are open while a worker is replaced go on from their history: code that would have done something else back then stops
 * them. These histories were recorded by `record.ts`; where a change is meant to break them, they are recorded anew and the release says so.
 */
const FOLDER = new URL('./histories/', import.meta.url);
const SUFFIX = '.json.gz';
const CHILDREN = ['retrain', 'retrain-after-waiting', 'register-golden'];
const QUIET = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

interface Recorded {
  readonly name: string;
  readonly json: { events: readonly Record<string, unknown>[] };
}

let recorded: readonly Recorded[];
beforeAll(() => {
  recorded = readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => ({
      name: file.slice(0, -SUFFIX.length),
      json: JSON.parse(gunzipSync(readFileSync(new URL(file, FOLDER))).toString()) as Recorded['json'],
    }));
});

describe('the recorded histories', () => {
  it('are those of every story and of the workflows they start, and of nothing else', () => {
    expect(recorded.map(({ name }) => name).toSorted()).toEqual([...Object.keys(STORIES), ...CHILDREN].toSorted());
  });

  it('go on as they were recorded, and one that went another way is noticed', async () => {
    const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: QUIET,
    });
    // All in one call: one worker replays them one after another.
    const replayed: string[] = [];
    const broken: string[] = [];
    const all = [...recorded, wentAnotherWay('repaired', 'draftPlan'), wentAnotherWay('retrain', 'train')];
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories(all))) {
      replayed.push(workflowId);
      if (error) broken.push(workflowId);
    }
    expect(replayed.toSorted()).toEqual(all.map(({ name }) => name).toSorted());
    expect(broken.toSorted()).toEqual(['repaired without draftPlan', 'retrain without train']);
  }, 60_000);

  it('say nothing of the machine they were recorded on', () => {
    const machine = /\/(?:work|root|home|tmp|Users|opt)\/|node_modules|\d+@/;
    for (const { name, json } of recorded) {
      for (const { key, text } of textsIn(json)) {
        if (key === 'identity') expect(text).toBe('recorder');
        if (key === 'stackTrace') expect(text).toBe('');
        if (machine.test(text)) throw new Error(`${name} says under ${key}: ${text.slice(0, 200)}`);
      }
    }
  });
});

/** A history in which the workflow called something else than it does now, as after an incautious change. */
function wentAnotherWay(name: string, activity: string): Recorded {
  const original = recorded.find((one) => one.name === name);
  if (!original) throw new Error(`${name} was not recorded`);
  const changed = JSON.stringify(original.json).replaceAll(
    `"activityType":{"name":"${activity}"}`,
    '"activityType":{"name":"other"}',
  );
  return { name: `${name} without ${activity}`, json: JSON.parse(changed) as Recorded['json'] };
}

function* histories(of: readonly Recorded[]) {
  for (const { name, json } of of) yield { workflowId: name, history: historyFromJSON(json) };
}

/** Every text of a JSON value under its key, and what a payload says in clear besides. */
function* textsIn(value: unknown, key = ''): Generator<{ key: string; text: string }> {
  if (typeof value === 'string') {
    yield { key, text: key === 'data' ? Buffer.from(value, 'base64').toString() : value };
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) yield* textsIn(inner, Array.isArray(value) ? key : name);
}
