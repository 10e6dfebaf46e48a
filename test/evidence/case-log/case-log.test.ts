import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import { canonicalJson } from '../../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { Frontier } from '../../../domain/proofs/frontier.ts';
import { verifySignedNote } from '../../../domain/proofs/signed-note.ts';
import { appendEntries } from '../../../evidence/case-log/append.ts';
import { signCheckpoint } from '../../../evidence/case-log/checkpoint.ts';
import { readEntries } from '../../../evidence/case-log/read.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner } from '../../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';
import { DOCUMENTS } from '../../../evidence/ports.ts';
import { createMemoryStore, type MemoryStore } from '../memory-store.ts';

const incident = 'camera-0a1b2c3d';
const signer = createSigner({ name: 'case-log', privatePem: generateKey('EdDSA').privatePem });

const entry = (seq: number, summary = `step ${seq}`): CaseEntry => ({
  schema: 'lazaret.case-entry/v1',
  incident,
  seq,
  at: '2026-02-01T10:00:00.000Z',
  phase: 'contain',
  step: 'captureAndSwap',
  actor: 'lazaret',
  inputs: [],
  outputs: [digestOf(summary)],
  verdict: 'done',
  summary,
  statement: null,
});
const log = Array.from({ length: 37 }, (_, seq) => entry(seq));
const headOf = (entries: readonly CaseEntry[]) => {
  const frontier = new Frontier();
  for (const each of entries) frontier.append(canonicalJson(each));
  return { size: frontier.size, root: frontier.rootHex() };
};

let store: MemoryStore;
beforeEach(() => {
  store = createMemoryStore();
});

describe('the case log in S3', () => {
  it('is read back as it was written, and writing it again changes nothing', async () => {
    await appendEntries(store, log);
    await appendEntries(store, log.slice(3));
    expect(await readEntries(store, incident, log.length)).toEqual(log);
    expect(store.buckets.evidence.size).toBe(log.length);
  });

  it('refuses another entry at the same place', async () => {
    await appendEntries(store, log);
    await expect(appendEntries(store, [entry(3, 'a rewritten step')])).rejects.toMatchObject({
      code: 'evidence/diverged',
    });
  });

  it.each([
    ['is missing', null],
    ['is not JSON', '{'],
    ['says it is number 4', canonicalJson(entry(4))],
    ['belongs to another incident', canonicalJson({ ...entry(3), incident: 'other' })],
    ['is not in canonical form', JSON.stringify(entry(3), null, 1)],
    ['is wrong at verdict', canonicalJson({ ...entry(3), verdict: 'fine' })],
    ['is wrong at its top', canonicalJson({ ...entry(3), extra: 1 })],
  ])('says so when an entry %s', async (what, text) => {
    await appendEntries(store, log);
    const key = DOCUMENTS.caseEntry(incident, 3);
    if (text === null) store.buckets.evidence.delete(key);
    else store.buckets.evidence.set(key, new TextEncoder().encode(text));
    await expect(readEntries(store, incident, log.length)).rejects.toMatchObject({
      code: 'evidence/diverged',
      message: expect.stringContaining(what),
    });
  });
});

describe('a checkpoint', () => {
  it('is a signed note about the head that S3 and the workflow agree on, and the same on a repeated call', async () => {
    await appendEntries(store, log);
    const first = await signCheckpoint(store, signer, incident, headOf(log));
    expect(await signCheckpoint(store, signer, incident, headOf(log))).toEqual(first);

    const note = new TextDecoder().decode(await store.get(first));
    expect(store.buckets.evidence.get(DOCUMENTS.checkpoint(incident, 37))).toEqual(await store.get(first));
    const { raw } = verificationKeyOf({ kid: signer.kid, alg: signer.alg, publicKey: signer.publicKeyPem });
    const { text } = verifySignedNote(note, [{ name: `lazaret/${incident}`, raw }]);
    expect(text).toBe(`lazaret/${incident}\n37\n${Buffer.from(headOf(log).root, 'hex').toString('base64')}\n`);
  });

  it('is made of a prefix of the log too, and of no entries at all', async () => {
    await appendEntries(store, log);
    await signCheckpoint(store, signer, incident, headOf(log.slice(0, 5)));
    await signCheckpoint(store, signer, incident, headOf([]));
  });

  it("is refused where one entry in S3 is not the workflow's", async () => {
    await appendEntries(store, log);
    store.buckets.evidence.set(
      DOCUMENTS.caseEntry(incident, 20),
      new TextEncoder().encode(canonicalJson(entry(20, 'forged'))),
    );
    await expect(signCheckpoint(store, signer, incident, headOf(log))).rejects.toMatchObject({
      code: 'evidence/diverged',
    });
  });

  it('is refused where one about another log is there already', async () => {
    await appendEntries(store, log);
    store.buckets.evidence.set(DOCUMENTS.checkpoint(incident, 37), new TextEncoder().encode('lazaret/other\n'));
    await expect(signCheckpoint(store, signer, incident, headOf(log))).rejects.toMatchObject({
      code: 'evidence/diverged',
    });
  });

  it('stays the one that was signed first when the key changes', async () => {
    await appendEntries(store, log);
    const first = await signCheckpoint(store, signer, incident, headOf(log));
    const next = createSigner({ name: 'case-log', privatePem: generateKey('EdDSA').privatePem });
    expect(await signCheckpoint(store, next, incident, headOf(log))).toEqual(first);
  });
});
