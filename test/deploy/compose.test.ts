import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const read = (path: string) => readFileSync(path, 'utf8');
const serviceSchema = z.looseObject({
  image: z.string(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  healthcheck: z.looseObject({}).optional(),
  privileged: z.boolean().optional(),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  build: z.looseObject({ dockerfile: z.string() }).optional(),
});
const raw: unknown = parse(read('docker-compose.yml'), { merge: true });
const compose = z
  .looseObject({ services: z.record(z.string(), serviceSchema), secrets: z.record(z.string(), z.looseObject({})) })
  .parse(raw);
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

describe('docker-compose.yml', () => {
  it('is valid by the Compose Specification', () => {
    const schema: unknown = JSON.parse(read('test/vectors/compose-spec/compose-spec.json'));
    const ajv = new Ajv({ strict: false, allErrors: true });
    (addFormats as unknown as (ajv: Ajv) => void)(ajv);
    // The schema names the draft by https, which ajv knows by http.
    const validate = ajv.compile({
      ...z.looseObject({}).parse(schema),
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
    const extensionsOnly = Object.fromEntries(
      Object.entries(z.looseObject({}).parse(raw)).filter(([key]) => !key.startsWith('x-')),
    );
    expect(validate(extensionsOnly) ? [] : validate.errors).toEqual([]);
  });

  it('has every process and engine that a station is made of', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining([
        'postgres',
        'temporal',
        's3',
        'prepare',
        'api',
        'response',
        'gateway',
        'trainer',
        'trainer-gpu',
        'prometheus',
        'grafana',
      ]),
    );
    expect(compose.services['trainer-gpu']?.profiles).toEqual(['gpu']);
    expect(compose.services['trainer']?.profiles).toEqual([]);
  });

  it.each(services)('%s is pinned to a version, runs unprivileged and is watched', (name, service) => {
    const tag = /:(?:\$\{[A-Z_]+:-([^}]+)\}|([^:]+))$/.exec(service.image)?.slice(1).find(Boolean);
    expect(tag).toMatch(/\d+\.\d+/);
    expect(service.image).not.toContain('latest');
    expect(service.privileged ?? false).toBe(false);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    if (name !== 'temporal-ui') expect(service.user).toBeDefined();
    expect(service.user ?? '').not.toMatch(/^(root|0)\b/);
    if (name !== 'temporal-ui') expect(service.healthcheck).toBeDefined();
  });

  it('has a read-only root file system everywhere but in the two images of Temporal, which write their configuration', () => {
    const writable = services.filter(([, service]) => service.read_only !== true).map(([name]) => name);
    expect(writable).toEqual(['temporal', 'temporal-ui']);
  });

  it('publishes on loopback only, and never the admin surface of the gateway', () => {
    const published = services.flatMap(([, service]) => service.ports);
    expect(published.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    expect(published.some((port) => port.endsWith(':8482'))).toBe(false);
  });

  it('gives secrets as files, none as a value', () => {
    for (const [name, service] of services)
      for (const [variable, value] of Object.entries(service.environment)) {
        if (!/TOKEN|SECRET|PASSWORD|PWD|ACCESS_KEY|API_KEY/.test(variable)) continue;
        const fromFile = variable.endsWith('_FILE') && value.startsWith('/run/secrets/');
        const fromEnvironment = /^\$\{[A-Z_]+:\?/.test(value);
        expect([name, variable, fromFile || fromEnvironment]).toEqual([name, variable, true]);
      }
    const used = new Set(services.flatMap(([, service]) => service.secrets));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
  });

  it('gives no process the private keys of another', () => {
    const holders = services.flatMap(([name, service]) =>
      service.volumes
        .filter((volume) => volume.includes('/keys/'))
        .map((volume) => [name, /\/keys\/(\w+):/.exec(volume)?.[1]]),
    );
    expect(holders).toEqual([
      ['api', 'api'],
      ['response', 'response'],
    ]);
  });

  it('lets no engine reach the world', () => {
    expect(compose.services['s3']?.networks).toEqual(['engines']);
    expect(compose.services['postgres']?.networks).toEqual(['engines']);
    const networks = z.looseObject({ networks: z.record(z.string(), z.looseObject({})) }).parse(raw).networks;
    expect(networks['engines']).toEqual({ internal: true });
    expect(networks['service']).toEqual({ internal: true });
  });

  it('builds ours from files that exist', () => {
    expect(ours.map(([name]) => name).sort()).toEqual([
      'api',
      'gateway',
      'prepare',
      'response',
      'trainer',
      'trainer-gpu',
    ]);
    for (const [, service] of ours) expect(read(service.build?.dockerfile ?? '')).toContain('FROM');
  });
});
