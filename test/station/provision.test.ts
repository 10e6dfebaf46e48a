import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../../clients/configuration/load.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { missingRoles } from '../../domain/incident/gates.ts';
import { createSigner } from '../../evidence/keys/signer.ts';
import { loadTrustFile } from '../../evidence/keys/trusted-keys.ts';
import { KEYRING, keyFile } from '../../station/identities.ts';
import { followPorts } from '../../station/default-configuration.ts';
import { checkout, stationPaths } from '../../station/paths.ts';
import { provision } from '../../station/provision.ts';

const paths = stationPaths(mkdtempSync(join(tmpdir(), 'lazaret-provision-')));
const surfaces = { admin: 'http://127.0.0.1:8482', inference: 'http://127.0.0.1:8481' };
provision(paths, surfaces);
const all = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('a first start', () => {
  it('makes keys, tokens and credentials that nobody else can read', () => {
    const secrets = [paths.keys, paths.people, paths.credentials].flatMap(all);
    expect(secrets.length).toBe(KEYRING.length + 6 + 6);
    for (const file of secrets) expect((statSync(file).mode & 0o077).toString(8)).toBe('0');
  });

  it('writes a lazaret.yaml that is valid, with gates that its own people can open', () => {
    const configuration = loadConfiguration(paths.configuration);
    expect(Object.keys(configuration.endpoints)).toEqual(
      ['digits', 'digits-kiosk', 'digits-archive'].concat(
        ['credit', 'credit-branch', 'credit-archive'],
        ['signs', 'signs-van', 'signs-archive'],
      ),
    );
    expect(configuration.endpoints['digits']?.containment.critical).toBe('shadow');
    expect(configuration.endpoints['digits-kiosk']?.containment.critical).toBe('isolate');
    const votes = configuration.people.flatMap((person) => person.roles.map((role) => ({ person: person.id, role })));
    const trust = {
      people: configuration.people.map((person) => ({ ...person, keys: [] })),
      vouchers: [],
      gates: configuration.gates,
    };
    expect(missingRoles(configuration.gates.release, votes, trust)).toEqual([]);
    for (const person of configuration.people)
      expect(person.tokenDigest).toBe(digestOf(readFileSync(join(paths.people, person.id, 'token'), 'utf8')));
  });

  it('declares the endpoints that the gateway of docker compose answers for', () => {
    const names = Object.keys(loadConfiguration(paths.configuration).endpoints).join(',');
    const text = (file: string) => readFileSync(join(checkout(), file), 'utf8');
    expect(text('docker-compose.yml')).toContain(`\${LAZARET_GATEWAY_ENDPOINTS:-${names}}`);
    expect(text('.env.example')).toContain(`LAZARET_GATEWAY_ENDPOINTS=${names}\n`);
  });

  it('writes a trust.json that holds the public half of each key with its uses, and no private one', () => {
    const text = readFileSync(paths.trust, 'utf8');
    expect(text).not.toContain('PRIVATE');
    const trusted = loadTrustFile(text);
    for (const entry of KEYRING) {
      const { kid } = createSigner({ name: entry.name, privatePem: readFileSync(keyFile(paths, entry), 'utf8') });
      expect(trusted.find((key) => key.kid === kid)?.uses).toEqual([...entry.uses]);
    }
  });

  it('lets no machine but the response worker lift an incident, and no process sign in the place of another', () => {
    const holders = (use: string) =>
      KEYRING.filter((entry) => (entry.uses as readonly string[]).includes(use)).map((entry) => entry.holder);
    expect(holders('stance:respond')).toEqual(['response']);
    expect(holders('case-log')).toEqual(['response']);
    expect(holders('bundle')).toEqual(['api']);
    expect(holders('vouch')).toEqual(['api']);
    expect(holders('golden')).toEqual(['response']);
  });

  it('changes nothing when it is repeated', () => {
    const before = all(paths.home).map((file) => [file, readFileSync(file, 'utf8')]);
    provision(paths, { admin: 'http://elsewhere', inference: 'http://elsewhere' });
    expect(all(paths.home).map((file) => [file, readFileSync(file, 'utf8')])).toEqual(before);
  });
});

describe('a port that had to move', () => {
  it('is followed in the addresses of the station, also where two of them changed places, and nowhere else', () => {
    const text = 'a: http://127.0.0.1:1\nb: http://127.0.0.1:2\nc: http://127.0.0.1:12\nd: http://models.example:1\n';
    expect(followPorts(text, { admin: 1, inference: 2 }, { admin: 2, inference: 1 })).toBe(
      'a: http://127.0.0.1:2\nb: http://127.0.0.1:1\nc: http://127.0.0.1:12\nd: http://models.example:1\n',
    );
  });
});
