import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const S3_BUCKETS = { evidence: 'lazaret-evidence', artifacts: 'lazaret-artifacts' } as const;

/** One file per secret, because that is how processes take them (`<NAME>_FILE`). */
const FILES = {
  s3AccessKeyId: 's3-access-key-id',
  s3SecretAccessKey: 's3-secret-access-key',
  adminToken: 'gateway-admin-token',
  alertmanager: 'alertmanager-token',
  genericWebhook: 'generic-webhook-secret',
  /** What the gateway signs its own alarms with. */
  cloudEvents: 'cloudevents-secret',
} as const;
export type Credentials = Readonly<Record<keyof typeof FILES, string>>;

export function credentialFile(folder: string, name: keyof typeof FILES): string {
  return join(folder, FILES[name]);
}

/** Makes what is missing and keeps what is there. */
export function provisionCredentials(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const make: Record<keyof typeof FILES, () => string> = {
    s3AccessKeyId: () => process.env['LAZARET_S3_ACCESS_KEY_ID'] ?? `LZ${randomBytes(9).toString('hex').toUpperCase()}`,
    s3SecretAccessKey: () => process.env['LAZARET_S3_SECRET_ACCESS_KEY'] ?? randomBytes(30).toString('base64url'),
    adminToken: () => randomBytes(32).toString('base64url'),
    alertmanager: () => randomBytes(32).toString('base64url'),
    // Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes.
    genericWebhook: () => `whsec_${randomBytes(32).toString('base64')}`,
    cloudEvents: () => `whsec_${randomBytes(32).toString('base64')}`,
  };
  for (const name of Object.keys(FILES) as (keyof typeof FILES)[]) {
    const file = credentialFile(folder, name);
    if (!existsSync(file)) writeFileSync(file, make[name](), { mode: 0o600, flag: 'wx' });
  }
}

export function readCredentials(folder: string): Credentials {
  return Object.fromEntries(
    (Object.keys(FILES) as (keyof typeof FILES)[]).map((name) => [
      name,
      readFileSync(credentialFile(folder, name), 'utf8').trim(),
    ]),
  ) as Credentials;
}
