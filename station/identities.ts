import { join } from 'node:path';
import type { KeyUse } from '../domain/contracts/trust.ts';
import type { StationPaths } from './paths.ts';

interface MachineKey {
  readonly name: string;
  readonly title: string;
  readonly alg: 'EdDSA' | 'ES256';
  /** The process that holds it, as a folder of its own under keys/: no process is given the key of another. */
  readonly holder: 'response' | 'api' | 'pipeline';
  readonly uses: readonly KeyUse[];
}

/** The machines' keys of an embedded station. */
export const KEYRING = [
  { name: 'responder', title: 'the response worker', alg: 'EdDSA', holder: 'response', uses: ['stance:respond'] },
  {
    name: 'registry',
    title: 'the golden registry',
    alg: 'ES256',
    holder: 'response',
    uses: ['model', 'dataset', 'provenance', 'golden'],
  },
  { name: 'case-log', title: 'the case log', alg: 'EdDSA', holder: 'response', uses: ['case-log'] },
  { name: 'voucher', title: 'the API, for callers it authenticated', alg: 'EdDSA', holder: 'api', uses: ['vouch'] },
  { name: 'export', title: 'the API, for bundles it exports', alg: 'EdDSA', holder: 'api', uses: ['bundle'] },
  {
    name: 'pipeline',
    title: 'the training pipeline',
    alg: 'ES256',
    holder: 'pipeline',
    uses: ['model', 'dataset', 'provenance'],
  },
  { name: 'deployer', title: 'the deployment job', alg: 'EdDSA', holder: 'pipeline', uses: ['stance:deploy'] },
] as const satisfies readonly MachineKey[];
export type KeyName = (typeof KEYRING)[number]['name'];

export function keyFile(paths: StationPaths, key: { readonly name: string; readonly holder: string }): string {
  return join(paths.keys, key.holder, `${key.name}.pem`);
}

/** Three people, so that an embedded station can show two of them agreeing. */
export const PEOPLE = [
  { id: 'ada', name: 'Ada', roles: ['ml-engineer', 'on-call'] },
  { id: 'sol', name: 'Sol', roles: ['security-lead'] },
  { id: 'mo', name: 'Mo', roles: ['model-owner'] },
] as const;
