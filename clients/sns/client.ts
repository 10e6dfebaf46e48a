const TIMEOUT_MS = 5_000;
const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** SNS changes its certificate about once a year in each region. */
const KEPT = 16;
/** Fetched at once; whoever invents addresses of certificates waits here, and the others with them for at most the time-out. */
const AT_ONCE = 4;

export interface SnsClient {
  /** The text at the address of a signing certificate. The caller MUST have checked its host: this fetches what it is told. */
  certificate(url: string): Promise<string>;
  /** Visits the address that confirms a subscription; the same obligation. */
  confirm(url: string): Promise<void>;
}

/** Fetches over HTTPS, follows no redirect (it would lead away from the host that was checked), gives up after five seconds, keeps certificates. */
export function createSnsClient(): SnsClient {
  const get = async (url: string): Promise<Response> => {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
    return response;
  };
  const kept = new Map<string, string>();
  let fetching = 0;
  const textAt = async (url: string): Promise<string> => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (await get(url)).body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_CERTIFICATE_BYTES) throw new Error('the certificate is larger than one can be');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('latin1');
  };
  return {
    async certificate(url) {
      const known = kept.get(url);
      if (known !== undefined) return known;
      if (fetching >= AT_ONCE) throw new Error('too many certificates are being fetched');
      fetching += 1;
      try {
        const text = await textAt(url);
        const [oldest] = kept.keys();
        if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
        kept.set(url, text);
        return text;
      } finally {
        fetching -= 1;
      }
    },
    async confirm(url) {
      await (await get(url)).body?.cancel();
    },
  };
}
