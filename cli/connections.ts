import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  EnvironmentError,
  parseEnvironment,
  s3Environment,
  temporalEnvironment,
  temporalRule,
} from '../domain/contracts/environment.ts';
import { loadConfiguration } from '../clients/configuration/load.ts';
import { ConfigurationError } from '../clients/configuration/problems.ts';
import type { S3Config } from '../clients/s3/connection.ts';
import type { TemporalSettings } from '../clients/temporal/connect.ts';
import type { Configuration } from '../domain/contracts/configuration.ts';
import { loadTrustFile } from '../evidence/keys/trusted-keys.ts';
import type { TrustedKey } from '../evidence/ports.ts';
import { describeRunning } from '../station/describe.ts';
import { stationPaths } from '../station/paths.ts';
import { storageConfig } from '../station/storage.ts';
import { CommandError, EXIT } from './exit.ts';

const schema = z.object({ ...s3Environment, ...temporalEnvironment });

/** What the CLI connects to: the station that runs here, else what the environment names (as for every process). */
export interface Connections {
  readonly s3: S3Config;
  readonly temporal: TemporalSettings;
  readonly adminToken: string | null;
}

export function connections(): Connections {
  const running = describeRunning();
  if (running)
    return {
      s3: storageConfig(running.s3),
      temporal: {
        LAZARET_TEMPORAL_ADDRESS: running.temporal.address,
        LAZARET_TEMPORAL_NAMESPACE: running.temporal.namespace,
      },
      adminToken: running.credentials.adminToken,
    };
  try {
    return fromEnvironment();
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    throw new CommandError(EXIT.unreachable, `no station runs in ${stationPaths().home}, and ${error.message}`);
  }
}

function fromEnvironment(): Connections {
  const env = parseEnvironment(schema, process.env, (path) => readFileSync(path, 'utf8'), [temporalRule]);
  const token = process.env['LAZARET_GATEWAY_ADMIN_TOKEN'];
  const tokenFile = process.env['LAZARET_GATEWAY_ADMIN_TOKEN_FILE'];
  return {
    s3: {
      endpoint: env.LAZARET_S3_ENDPOINT,
      region: env.LAZARET_S3_REGION,
      accessKeyId: env.LAZARET_S3_ACCESS_KEY_ID,
      secretAccessKey: env.LAZARET_S3_SECRET_ACCESS_KEY,
      evidenceBucket: env.LAZARET_S3_EVIDENCE_BUCKET,
      artifactsBucket: env.LAZARET_S3_ARTIFACTS_BUCKET,
      retentionDays: env.LAZARET_S3_RETENTION_DAYS,
      forcePathStyle: true,
    },
    temporal: env,
    adminToken: token ?? (tokenFile && existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : null),
  };
}

/** `lazaret.yaml`, or every problem in it with its line. */
export function configuration(file = process.env['LAZARET_CONFIG'] ?? stationPaths().configuration): Configuration {
  try {
    return loadConfiguration(file);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

export function trustedKeys(file = process.env['LAZARET_TRUST_FILE'] ?? stationPaths().trust): readonly TrustedKey[] {
  if (!existsSync(file)) throw new CommandError(EXIT.usage, `there is no trust file at ${file}: name one`);
  return loadTrustFile(readFileSync(file, 'utf8'));
}
