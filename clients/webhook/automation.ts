import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { WEBHOOK_STANCES } from '../../domain/contracts/platforms.ts';
import { stanceSchema, type Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { webhookHeaders, webhookKey } from '../../evidence/keys/webhook-signature.ts';
import { digestOfJson } from '../../domain/proofs/canonical-json.ts';
import type { Probe } from '../inference/probe.ts';
import { openRecord } from '../adapters/held-record.ts';
import { createJsonCall, failureOf, type JsonCall } from '../adapters/json-call.ts';
import type { Json, Platform } from '../adapters/platform.ts';

/** The stance the automation was told and holds, or what it has of its own. */
type AutomationState = { stance: Json } | { native: Json };

/** What the automation answers to every call. */
const answerSchema = z.object({
  /** Null where it does what it was set up to do, and no order holds. */
  stance: stanceSchema.nullable(),
  /** Whatever it needs to put that back, in its own words. */
  native: z.json(),
  words: z.string().min(1).max(500),
  captured: z.json().default(null),
});

const WHOM = 'the automation';

/**
 * Your own automation behind a URL, for whatever no adapter knows. Calls are signed by the Standard Webhooks scheme
 * (https://www.standardwebhooks.com): `lazaret.endpoint.read`, `lazaret.stance.take` with the stance and the signed order, `lazaret.native.restore`
 * with the native state to put back. Each names in `expect` the digest of the state that was read: where it is another by now, answer 409.
 * Answer 200 with `{stance, native, words, captured}`, 422 where the stance cannot be had.
 */
export function createAutomationPlatform(
  options: {
    readonly endpoint: string;
    readonly stances: readonly (typeof WEBHOOK_STANCES)[number][];
    readonly model: string;
  },
  deps: { readonly call: JsonCall; readonly probe: Probe },
): Platform<AutomationState> {
  const { endpoint } = options;

  async function ask(type: string, data: Record<string, Json>): Promise<z.output<typeof answerSchema> | 'conflict'> {
    const answer = await deps.call('POST', '', {
      type,
      timestamp: new Date().toISOString(),
      data: { endpoint, ...data },
    });
    if (answer.status === 409) return 'conflict';
    if (answer.status < 200 || answer.status > 299) throw failureOf(WHOM, answer);
    const parsed = answerSchema.safeParse(answer.json);
    if (parsed.success) return parsed.data;
    throw new Failure(
      'endpoint/refused',
      `${WHOM} answered in another form, at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`,
    );
  }

  return {
    name: 'webhook',
    captures: ['what the automation tells'],
    stances: options.stances,
    look: async () => {
      const told = await ask('lazaret.endpoint.read', {});
      if (told === 'conflict') throw new Failure('endpoint/unreachable', `${WHOM} could not be read just now`);
      const state = stateOf(told);
      return { state, words: told.words, captured: told.captured, told: {}, record: null, mark: null };
    },
    towards: (stance: Stance) => ({ stance: stance as unknown as Json }),
    change: async (look, next, record) => {
      const expect = digestOfJson(look.state);
      const held = openRecord(record);
      const order = { order: held?.order ?? '', orderId: held?.receipt.orderId ?? '' };
      const told =
        'native' in next
          ? await ask('lazaret.native.restore', { ...order, expect, native: next.native })
          : await ask('lazaret.stance.take', { ...order, expect, stance: next.stance });
      if (told === 'conflict') return 'conflict';
      if (digestOfJson(stateOf(told)) === digestOfJson(next)) return 'done';
      throw new Failure(
        'endpoint/unreachable',
        `${WHOM} took the call and says it holds something else: ${told.words}`,
      );
    },
    probe: () => deps.probe(options.model),
  };
}

function stateOf({ stance, native }: z.output<typeof answerSchema>): AutomationState {
  return stance === null ? { native } : { stance: stance as unknown as Json };
}

/** Calls signed with `whsec_<base64 of at least 24 bytes>`; a repeated delivery of the same body has the same id. */
export function createSignedCall(options: {
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs: number;
  readonly now: () => Date;
}): JsonCall {
  const key = webhookKey(options.secret);
  if (key === null)
    throw new Failure('endpoint/refused', 'the secret of the webhook is not whsec_ and the base64 of 24 bytes or more');
  return createJsonCall({
    whom: WHOM,
    base: options.url,
    timeoutMs: options.timeoutMs,
    headers: ({ body }) => {
      const id = `lz_${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;
      return Promise.resolve(webhookHeaders(key, id, options.now(), body));
    },
  });
}
