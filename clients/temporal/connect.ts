import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';

/** The values of `temporalEnvironment` that a connection needs. */
export interface TemporalSettings {
  readonly LAZARET_TEMPORAL_ADDRESS: string;
  readonly LAZARET_TEMPORAL_NAMESPACE: string;
  readonly LAZARET_TEMPORAL_TLS_CERT_FILE?: string | undefined;
  readonly LAZARET_TEMPORAL_TLS_KEY_FILE?: string | undefined;
  readonly LAZARET_TEMPORAL_TLS_CA_FILE?: string | undefined;
  readonly LAZARET_TEMPORAL_API_KEY?: string | undefined;
}

/** Also the shape that `NativeConnection.connect` of the worker takes. An API key is never sent without TLS. */
export function connectionOptions(settings: TemporalSettings): {
  address: string;
  apiKey?: string;
  tls?: true | { clientCertPair?: { crt: Buffer; key: Buffer }; serverRootCACertificate?: Buffer };
} {
  const {
    LAZARET_TEMPORAL_TLS_CERT_FILE: cert,
    LAZARET_TEMPORAL_TLS_KEY_FILE: key,
    LAZARET_TEMPORAL_TLS_CA_FILE: ca,
  } = settings;
  const files = {
    ...(cert && key ? { clientCertPair: { crt: readFileSync(cert), key: readFileSync(key) } } : {}),
    ...(ca ? { serverRootCACertificate: readFileSync(ca) } : {}),
  };
  const apiKey = settings.LAZARET_TEMPORAL_API_KEY;
  return {
    address: settings.LAZARET_TEMPORAL_ADDRESS,
    ...(Object.keys(files).length > 0 ? { tls: files } : apiKey ? { tls: true } : {}),
    ...(apiKey ? { apiKey } : {}),
  };
}

/** A client that connects with its first call, so that a process starts and says "not ready" while Temporal is away. */
export function createTemporalClient(settings: TemporalSettings): { client: Client; close(): Promise<void> } {
  const connection = Connection.lazy(connectionOptions(settings));
  const client = new Client({ connection, namespace: settings.LAZARET_TEMPORAL_NAMESPACE });
  return { client, close: () => connection.close() };
}
