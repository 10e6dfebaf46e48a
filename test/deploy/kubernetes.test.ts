import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = 'deploy/kubernetes';
/** KEDA's own definition, where the lab's data is beside the checkout. */
const DEFINITION = '../shared/data/kubernetes-crds/keda.sh_scaledjobs.yaml';

const read = (name: string): unknown => parse(readFileSync(join(FOLDER, name), 'utf8'));
const containerSchema = z.looseObject({
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  resources: z.object({ limits: z.record(z.string(), z.string()) }).loose(),
  securityContext: z.unknown(),
});
const pool = z
  .looseObject({
    spec: z.looseObject({
      minReplicaCount: z.number(),
      triggers: z.array(z.object({ type: z.string(), metadata: z.record(z.string(), z.string()) })),
      jobTargetRef: z.looseObject({
        template: z.looseObject({
          spec: z.looseObject({
            priorityClassName: z.string(),
            securityContext: z.unknown(),
            containers: z.array(containerSchema),
          }),
        }),
      }),
    }),
  })
  .parse(read('trainer-pool.yaml'));
const pod = pool.spec.jobTargetRef.template.spec;
const settings = z
  .looseObject({ metadata: z.object({ name: z.string() }), data: z.record(z.string(), z.string()) })
  .parse(read('trainer-settings.yaml'));

describe('the pool of GPU trainers', () => {
  it('is made of every file of the folder', () => {
    const { resources } = z.looseObject({ resources: z.array(z.string()) }).parse(read('kustomization.yaml'));
    const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });

  it('is empty while nothing waits, and asks the queue that the trainer serves', () => {
    const [trigger] = pool.spec.triggers;
    expect(pool.spec.minReplicaCount).toBe(0);
    expect(trigger).toMatchObject({
      type: 'temporal',
      metadata: {
        taskQueue: settings.data['LAZARET_TRAINER_QUEUE'],
        endpoint: settings.data['LAZARET_TEMPORAL_ADDRESS'],
        namespace: settings.data['LAZARET_TEMPORAL_NAMESPACE'],
        queueTypes: 'activity',
      },
    });
  });

  it('gives each pod one device, and incidents a priority that is declared', () => {
    expect(pod.containers).toHaveLength(1);
    expect(pod.containers[0]?.resources.limits['nvidia.com/gpu']).toBe('1');
    const { metadata } = z.looseObject({ metadata: z.object({ name: z.string() }) }).parse(read('priority-class.yaml'));
    expect(pod.priorityClassName).toBe(metadata.name);
  });

  it('runs hardened, as the namespace demands', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('passes on variables that the trainer knows, and no secret', () => {
    const known = readFileSync('trainer/lazaret_trainer/settings.py', 'utf8');
    const passed = [...Object.keys(settings.data), ...(pod.containers[0]?.env ?? []).map(({ name }) => name)];
    expect(passed.filter((name) => !known.includes(`"${name.replace(/_FILE$/, '')}"`))).toEqual([]);
    expect(Object.keys(settings.data).filter((name) => /SECRET|ACCESS_KEY/.test(name))).toEqual([]);
    // Without an end of its own a pod of a job would hold its device for ever.
    expect(Number(settings.data['LAZARET_TRAINER_IDLE_SECONDS'])).toBeGreaterThan(0);
  });

  (existsSync(DEFINITION) ? it : it.skip)('is what KEDA’s own definition of a ScaledJob takes', () => {
    const definition = z
      .looseObject({
        spec: z.looseObject({
          versions: z.array(z.looseObject({ schema: z.object({ openAPIV3Schema: z.unknown() }) })),
        }),
      })
      .parse(parse(readFileSync(DEFINITION, 'utf8')));
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
      z.looseObject({}).parse(closed(definition.spec.versions[0]?.schema.openAPIV3Schema)),
    );
    expect(validate(read('trainer-pool.yaml')) ? [] : validate.errors).toEqual([]);
    expect(validate({ ...pool, spec: { ...pool.spec, maxReplicas: 8 } })).toBe(false);
  });
});

/** An API server drops fields it does not know without a word; here they are errors. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const open = 'additionalProperties' in members || members['x-kubernetes-preserve-unknown-fields'] === true;
  return members['type'] === 'object' && 'properties' in members && !open
    ? { ...members, additionalProperties: false }
    : members;
}
