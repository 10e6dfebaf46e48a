import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { createJsonCall, type JsonCall } from '../adapters/json-call.ts';

export type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/** Requests to one AWS service, signed by Signature Version 4 with the credentials of the process. */
export function createAwsCall(options: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
}): JsonCall {
  const { endpoint, region, credentials, timeoutMs } = options;
  const signer = new SignatureV4({ service: 'sagemaker', region, credentials, sha256: Sha256 });
  return createJsonCall({
    whom: 'SageMaker',
    base: endpoint,
    timeoutMs,
    headers: async ({ method, url, body, headers }) => {
      const signed = await signer.sign({
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        path: url.pathname,
        query: {},
        headers: { ...headers, host: url.host },
        body,
      });
      return signed.headers;
    },
  });
}
