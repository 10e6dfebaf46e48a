import type { InferenceClient } from '../../clients/inference/client.ts';

export interface Answer {
  readonly status: number;
  /** The class with the highest score; null where the endpoint refused. */
  readonly answer: number | null;
}

/** Records of one request where there are many: two thousand requests one after the other take as long as the rest of the drill. */
const AT_ONCE = 50;

/** Sends records in small requests, one after the other, and tells what came back. `shape` is that of one record. */
export async function send(
  client: InferenceClient,
  endpoint: string,
  records: readonly (readonly number[])[],
  shape: readonly number[],
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < records.length; start += AT_ONCE) {
    const rows = records.slice(start, start + AT_ONCE);
    const { status, scores } = await client.infer(endpoint, rows, shape);
    answers.push(...rows.map((_, row) => ({ status, answer: highest(scores?.[row]) })));
  }
  return answers;
}

function highest(scores: readonly number[] | undefined): number | null {
  return scores ? scores.indexOf(Math.max(...scores)) : null;
}

/** Share of answers that are what was expected; refusals count as wrong. */
export function share(answers: readonly Answer[], expected: (index: number) => number): number {
  if (answers.length === 0) return 0;
  return answers.filter((one, index) => one.answer === expected(index)).length / answers.length;
}

/** Keeps users' traffic flowing until stopped. Refusals are part of life; they are counted, not thrown. */
export function keepFlowing(
  client: InferenceClient,
  endpoints: readonly string[],
  records: readonly (readonly number[])[],
  shape: readonly number[],
  pauseMs: number,
): { stop(): Promise<void> } {
  let over = false;
  const flow = async (): Promise<void> => {
    for (let turn = 0; !over; turn += 1) {
      const endpoint = endpoints[turn % endpoints.length]!;
      const record = records[turn % records.length]!;
      await client.infer(endpoint, [record], shape).catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const running = flow();
  return {
    stop: async () => {
      over = true;
      await running;
    },
  };
}
