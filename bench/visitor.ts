import { createCaller } from './http.ts';

/** Somebody who asks an endpoint again and again and notes the moment when it first refuses. */
export interface Visitor {
  /** When the first refusal (503) was here, on the clock of `performance.now()`. Rejects after `patienceMs`. */
  readonly refused: Promise<number>;
  /** Answers before the refusal, and the longest time between two of them: the refusal was seen at most this late. */
  seen(): { readonly answers: number; readonly longestGapMs: number };
  stop(): void;
}

/** Between an answer and the next request. Without a pause the visitor would keep the gateway's processor to itself. */
const PAUSE_MS = 1;
const BODY = JSON.stringify({
  inputs: [
    {
      name: 'x',
      datatype: 'FP32',
      shape: [1, 1, 8, 8],
      data: Array.from({ length: 64 }, (_, index) => (index % 17) / 16),
    },
  ],
});

export function visit(inference: string, endpoint: string, patienceMs: number): Visitor {
  const caller = createCaller(1);
  const url = `${inference}/v2/models/${endpoint}/infer`;
  const headers = { 'x-client-id': 'bench' };
  const deadline = performance.now() + patienceMs;
  let over = false;
  let answers = 0;
  let longestGapMs = 0;

  const refused = (async () => {
    let last = performance.now();
    try {
      while (!over) {
        const reply = await caller.post(url, headers, BODY);
        if (answers > 0) longestGapMs = Math.max(longestGapMs, reply.at - last);
        last = reply.at;
        if (reply.status === 503 && answers > 0) return reply.at;
        if (reply.status !== 200) throw new Error(`${endpoint} answered ${reply.status}: ${reply.body}`);
        answers += 1;
        if (reply.at > deadline) throw new Error(`${endpoint} still answered after ${patienceMs / 1000} s`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      throw new Error('the visitor was sent away');
    } finally {
      caller.close();
    }
  })();
  refused.catch(() => {});
  return { refused, seen: () => ({ answers, longestGapMs }), stop: () => void (over = true) };
}
