import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  logHeaderSchema,
  loggedInferenceSchema,
  logPrefix,
  type LogHeader,
  type LoggedInference,
} from '../../domain/contracts/request-log.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { Store } from '../ports.ts';

/** Which inferences are looked for; what is not given is not asked. Times in milliseconds since the epoch. */
export interface LogQuestion {
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
  readonly client?: string;
  /** Of an input, or of the model that answered. */
  readonly digest?: string;
  readonly most: number;
}

export interface LogFound {
  readonly inferences: readonly LoggedInference[];
  readonly segments: number;
  /** Lines that the gateways say they could not keep. */
  readonly lost: number;
  /** What is wrong with the segments: one that cannot be read, or that does not follow on the one before it. */
  readonly gaps: readonly string[];
  /** More were found than `most`. */
  readonly cut: boolean;
}

const DAY_MS = 86_400_000;
/** A segment is begun at most so long before its last line. */
const LONGEST_MS = 10 * 60_000;
const decompress = promisify(gunzip);

/** Looks through the segments of the days in question, the oldest first. Fails with `storage/unavailable`. */
export async function findInferences(
  store: Pick<Store, 'listDocuments' | 'readDocument'>,
  question: LogQuestion,
): Promise<LogFound> {
  const inferences: LoggedInference[] = [];
  const gaps: string[] = [];
  /** By replica: the digest and number of its last segment, and what it had lost by then. */
  const last = new Map<string, { readonly seq: number; readonly digest: string; readonly lost: number }>();
  let segments = 0;
  let cut = false;
  for (const key of await keysOf(store, question)) {
    const document = await store.readDocument(key);
    if (!document) continue;
    const read = await readSegment(document.bytes);
    if (!read) {
      gaps.push(`${key} cannot be read`);
      continue;
    }
    const { header, lines } = read;
    segments += 1;
    const before = last.get(header.replica);
    if (before && (header.seq !== before.seq + 1 || header.previous !== before.digest))
      gaps.push(`${key} does not follow on segment ${before.seq} of its replica`);
    last.set(header.replica, { seq: header.seq, digest: digestOf(document.bytes), lost: header.lost });
    for (const line of lines) {
      if (!isAsked(line, question)) continue;
      if (inferences.length < question.most) inferences.push(line);
      else cut = true;
    }
  }
  const lost = [...last.values()].reduce((sum, replica) => sum + replica.lost, 0);
  return { inferences, segments, lost, gaps, cut };
}

async function keysOf(
  store: Pick<Store, 'listDocuments'>,
  { endpoint, from, to }: LogQuestion,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let day = from - LONGEST_MS - ((from - LONGEST_MS) % DAY_MS); day <= to; day += DAY_MS) {
    const prefix = logPrefix(endpoint, new Date(day).toISOString().slice(0, 10));
    keys.push(...(await store.listDocuments(prefix)).keys());
  }
  return keys;
}

async function readSegment(
  bytes: Uint8Array,
): Promise<{ header: LogHeader; lines: readonly LoggedInference[] } | null> {
  try {
    const text = (await decompress(bytes)).toString('utf8');
    const [first = '', ...rest] = text.split('\n');
    const header = logHeaderSchema.parse(JSON.parse(first));
    const lines = rest.flatMap((line) => {
      const parsed = line === '' ? null : loggedInferenceSchema.safeParse(JSON.parse(line));
      return parsed?.success ? [parsed.data] : [];
    });
    return { header, lines };
  } catch {
    return null;
  }
}

function isAsked({ at, client, address, input, model }: LoggedInference, question: LogQuestion): boolean {
  const time = Date.parse(at);
  return (
    time >= question.from &&
    time <= question.to &&
    (question.client === undefined || client === question.client || address === question.client) &&
    (question.digest === undefined || input === question.digest || model === question.digest)
  );
}
