import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where an embedded station keeps everything it owns. Deleting the folder of a stopped station forgets it whole. */
export interface StationPaths {
  readonly home: string;
  /** What runs now: pids, ports, URLs. Present while a station runs, and after one was killed. */
  readonly record: string;
  /** Ports chosen at the first start, kept so that addresses in lazaret.yaml stay true. */
  readonly ports: string;
  readonly configuration: string;
  readonly trust: string;
  /** Private keys of the machines, PKCS #8 PEM, mode 0600: `<name>.pem`. */
  readonly keys: string;
  /** Secrets, one per file, mode 0600. */
  readonly credentials: string;
  /** `<id>/key.pem`, `<id>/token` of each person. In a real installation each person holds their own. */
  readonly people: string;
  readonly logs: string;
  readonly temporalDatabase: string;
  readonly s3Root: string;
  readonly s3Versions: string;
  /** Captures and the last stance of the gateway. */
  readonly gateway: string;
  /** Compiled training steps: code, so nobody else may write here. */
  readonly trainerCache: string;
  readonly notifications: string;
  readonly reports: string;
}

/** LAZARET_HOME, else `.lazaret` of the folder the command runs in. */
export function stationPaths(home: string = process.env['LAZARET_HOME'] ?? '.lazaret'): StationPaths {
  const at = (...parts: string[]) => join(resolve(home), ...parts);
  return {
    home: at(),
    record: at('station.json'),
    ports: at('ports.json'),
    configuration: at('lazaret.yaml'),
    trust: at('trust.json'),
    keys: at('keys'),
    credentials: at('credentials'),
    people: at('people'),
    logs: at('logs'),
    temporalDatabase: at('temporal.db'),
    s3Root: at('s3', 'buckets'),
    s3Versions: at('s3', 'versions'),
    gateway: at('gateway'),
    trainerCache: at('trainer-cache'),
    notifications: at('notifications'),
    reports: at('reports'),
  };
}

/** The checkout: the folder that holds package.json, whether this runs from the sources or from dist/. */
export function checkout(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return import.meta.url.endsWith('.ts') ? dirname(here) : dirname(dirname(here));
}
