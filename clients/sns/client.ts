const TIMEOUT_MS = 5_000;
const MAX_CERTIFICATE_BYTES = 64 * 1024;

export interface SnsClient {
  /** The text at the address of a signing certificate. The caller MUST have checked its host: this fetches what it is told. */
  certificate(url: string): Promise<string>;
  /** Visits the address that confirms a subscription; the same obligation. */
  confirm(url: string): Promise<void>;
}

/** Fetches over HTTPS, follows no redirect (it would lead away from the host that was checked), and gives up after five seconds. */
export function createSnsClient(): SnsClient {
  const get = async (url: string): Promise<Response> => {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
    return response;
  };
  return {
    async certificate(url) {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of (await get(url)).body ?? []) {
        bytes += chunk.length;
        if (bytes > MAX_CERTIFICATE_BYTES) throw new Error('the certificate is larger than one can be');
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('latin1');
    },
    async confirm(url) {
      await (await get(url)).body?.cancel();
    },
  };
}
