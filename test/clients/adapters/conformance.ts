import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EndpointAdapter } from '../../../domain/contracts/endpoint-adapter.ts';
import { endpointStatusSchema, forensicReceiptSchema } from '../../../domain/contracts/gateway.ts';
import type { Stance } from '../../../domain/contracts/stance.ts';
import { Failure } from '../../../domain/incident/failure.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { createOrderReader } from '../../../evidence/orders/stance-order.ts';
import { trustedKeyOf } from '../../../evidence/keys/signer.ts';
import { KEYS, order } from '../../gateway/station.ts';

export const ENDPOINT = 'digits';
export const readOrder = createOrderReader([
  trustedKeyOf(KEYS.responder, ['stance:respond']),
  trustedKeyOf(KEYS.deployer, ['stance:deploy']),
]);
/** What every adapter of a platform is given in these tests. */
export const BOUND = { endpoint: ENDPOINT, readOrder, now: () => new Date(), confirmMs: 1_500 } as const;

/** A platform with an endpoint `digits` that answers, and what a test has to know of it. */
export interface Subject {
  readonly adapter: EndpointAdapter;
  /** The strongest containment there is here. */
  readonly contained: Stance;
  /** Another containment that this platform has, if any. */
  readonly shadow: Stance | null;
  /** One that it cannot take. */
  readonly impossible: Stance | null;
  /** Brings the endpoint back to where it began, by the platform's own means. */
  reset(): Promise<void>;
  /** What the platform says of the endpoint, without what Lazaret notes beside it. */
  native(): Promise<unknown>;
  /** Who answers a client at the front door; null: nobody. */
  answering(): Promise<string | null>;
  /** Somebody else changes something that no order is about. */
  meddle(): Promise<void>;
  meddled(): Promise<boolean>;
  /** Runs `act` when an adapter's next change is on its way. */
  beforeNextChange(act: () => Promise<void>): void;
  /** The same adapter where the platform is away. */
  readonly away: EndpointAdapter;
  /** The same adapter where the platform says no: a wrong credential, or nothing there. */
  readonly refused: EndpointAdapter;
  close(): Promise<void>;
}

/** What every adapter does alike, the Lazaret gateway's included. `absent` names the engine that is missing: the tests are skipped by name. */
export function conforms(
  name: string,
  start: () => Promise<Subject>,
  traits: { readonly swaps: boolean; readonly refuses: boolean; readonly absent?: string | null },
): void {
  const absent = traits.absent ?? null;
  const suite = absent === null ? describe : describe.skip;
  suite(`the adapter ${name}${absent === null ? '' : ` (${absent})`}`, () => {
    let subject: Subject;
    let first: string | null;
    beforeAll(async () => {
      subject = await start();
    }, 60_000);
    afterAll(() => subject?.close());
    beforeEach(async () => {
      await subject.reset();
      first = await subject.answering();
      expect(first).not.toBeNull();
    });

    const contain = (about: Partial<Parameters<typeof order>[0]> = {}) =>
      order({ stance: subject.contained, incident: 'inc-1', ...about });
    const push = (token: string) => subject.adapter.captureAndSwap(ENDPOINT, token);
    const codeOf = async (act: () => Promise<unknown>): Promise<string> =>
      await act().then(
        () => 'obeyed',
        (error: unknown) =>
          error instanceof Failure ? `${error.code}${error.retryable ? ', retryable' : ''}` : String(error),
      );

    it('reads what is there, and says what it can do', async () => {
      const status = endpointStatusSchema.parse(await subject.adapter.read(ENDPOINT));
      expect(status).toMatchObject({ endpoint: ENDPOINT, incident: null });
      expect(['serving', 'found']).toContain(status.stance.kind);
      const { adapter, captures, stances } = subject.adapter.describe();
      expect(adapter).toBe(name);
      expect(captures.length).toBeGreaterThan(0);
      expect(stances).toContain(subject.contained.kind);
      expect(await subject.adapter.verify(ENDPOINT, 'answering')).toMatchObject({ holds: true });
    });

    it('captures, then contains: no client is answered by what answered before', async () => {
      const before = await subject.adapter.read(ENDPOINT);
      const receipt = forensicReceiptSchema.parse(await push(contain()));
      expect(await subject.answering()).not.toBe(first);
      const expected = subject.contained.kind === 'isolated' ? 'refusing' : 'answering';
      expect(await subject.adapter.verify(ENDPOINT, expected)).toMatchObject({ holds: true });
      expect(receipt).toMatchObject({ endpoint: ENDPOINT, before: { stance: before.stance, incident: null } });
      expect(receipt.after.stance).toEqual(subject.contained);
      expect(await subject.adapter.read(ENDPOINT)).toMatchObject({ stance: subject.contained, incident: 'inc-1' });
    });

    it('gives a window with the digest its receipt names, and says where there is none to tell', async () => {
      const receipt = await push(contain());
      expect(digestOf(await subject.adapter.window(receipt))).toBe(receipt.window.digest);
      expect(await subject.adapter.model(receipt, digestOf('another model'))).toBeNull();
      const unknown = receipt.before.cannotTell ?? [];
      if (receipt.window.requests === 0 && receipt.platform) expect(unknown).toContain('window');
      if (receipt.platform) expect(unknown).toContain('loaded');
      await subject.adapter.forget(receipt);
      await subject.adapter.forget(receipt);
    });

    it('gives the same receipt for a repeated order and changes nothing by it', async () => {
      const token = contain();
      const receipt = await push(token);
      const after = await subject.native();
      expect(await push(token)).toEqual(receipt);
      expect(await subject.native()).toEqual(after);
    });

    it('refuses an order that is older than the one it stands under', async () => {
      const older = order({ stance: subject.contained, incident: 'inc-0' });
      await push(contain());
      const after = await subject.native();
      expect(await codeOf(() => push(older))).toBe('endpoint/refused');
      expect(await subject.native()).toEqual(after);
    });

    it('obeys no order with a wrong signature, of a stranger, or for another endpoint', async () => {
      const before = await subject.native();
      const token = contain();
      const forged = [
        `${token.slice(0, -6)}${token.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`,
        order({ stance: subject.contained, incident: 'inc-1' }, KEYS.stranger),
        contain({ endpoint: 'digits-kiosk' }),
        order({ stance: subject.contained, incident: 'inc-1' }, KEYS.deployer),
        'no order at all',
      ];
      for (const one of forged) expect(await codeOf(() => push(one))).toBe('endpoint/refused');
      expect(await subject.native()).toEqual(before);
      expect(await subject.answering()).toBe(first);
    });

    it('lets no deployment key lift what is held for an incident', async () => {
      const { before } = await push(contain());
      const after = await subject.native();
      expect(await codeOf(() => push(order({ stance: before.stance }, KEYS.deployer)))).toBe('endpoint/refused');
      expect(await subject.native()).toEqual(after);
    });

    it('puts back exactly what was there before the incident', async () => {
      const before = await subject.native();
      const receipt = await push(contain());
      expect(await subject.native()).not.toEqual(before);
      await subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
      expect(await subject.native()).toEqual(before);
      expect(await subject.answering()).toBe(first);
      expect(await subject.adapter.read(ENDPOINT)).toMatchObject({ stance: receipt.before.stance, incident: null });
    });

    it('loses no change that somebody else makes between its look and its write', async () => {
      expect(await subject.meddled()).toBe(false);
      subject.beforeNextChange(() => subject.meddle());
      const receipt = await push(contain());
      expect(await subject.meddled()).toBe(true);
      expect(await subject.answering()).not.toBe(first);
      await subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
      expect(await subject.meddled()).toBe(true);
      expect(await subject.answering()).toBe(first);
    });

    if (traits.swaps)
      it('lets a trusted model answer in the place of the suspect', async () => {
        if (!subject.shadow) throw new Error('the subject has no trusted model');
        await push(contain({ stance: subject.shadow }));
        expect(await subject.answering()).toBe('golden');
      });

    if (traits.refuses)
      it('names what it can do, and isolates instead where that contains', async () => {
        const stance = subject.impossible;
        if (!stance) throw new Error('the subject can do everything');
        const before = await subject.native();
        await expect(push(order({ stance }))).rejects.toThrow(/can take .*isolated|names no place/);
        expect(await subject.native()).toEqual(before);
        const receipt = await push(contain({ stance }));
        expect(receipt.after.stance.kind).toBe('isolated');
        expect(await subject.answering()).toBeNull();
      });

    it('tells a platform that is away from one that says no', async () => {
      expect(await codeOf(() => subject.away.read(ENDPOINT))).toBe('endpoint/unreachable, retryable');
      expect(await codeOf(() => subject.away.captureAndSwap(ENDPOINT, contain()))).toBe(
        'endpoint/unreachable, retryable',
      );
      expect(await codeOf(() => subject.refused.captureAndSwap(ENDPOINT, contain()))).toBe('endpoint/refused');
      expect(await subject.answering()).toBe(first);
    });
  });
}
