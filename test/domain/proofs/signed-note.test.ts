import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkpointText,
  formatSignedNote,
  noteKeyId,
  NoteRefused,
  parseCheckpointText,
  parseSignedNote,
  verifySignedNote,
} from '../../../domain/proofs/signed-note.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf } from '../../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';

const NAME = 'lazaret/inc-1';
const signer = createSigner({ name: 'case-log', privatePem: generateKey('EdDSA').privatePem });
const { raw } = verificationKeyOf(publicKeyOf(signer));
const keyId = noteKeyId(NAME, 1, Buffer.from(raw, 'hex'));
const text = checkpointText({ origin: NAME, size: 7, rootBase64: Buffer.alloc(32, 3).toString('base64') });
const signature = signer.sign(new TextEncoder().encode(text));
const note = formatSignedNote(text, [{ name: NAME, keyId, signature }]);

function refusal(candidate: string, keys = [{ name: NAME, raw }]): string {
  try {
    verifySignedNote(candidate, keys);
  } catch (error) {
    return error instanceof NoteRefused ? error.reason : String(error);
  }
  return 'accepted';
}

describe('signed notes', () => {
  it('verify the example of the reference implementation in Go', () => {
    const key = Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1);
    const example =
      'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n\n' +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    expect(noteKeyId('PeterNeumann', 1, key)).toBe('c74f20a3');
    // The example is ASCII in Go's sources; a typographic apostrophe is another text.
    const keys = [{ name: 'PeterNeumann', raw: key.toString('hex') }];
    expect(refusal(example, keys)).toBe('bad-signature');
    expect(verifySignedNote(example.replace('’', "'"), keys).signedBy).toEqual(['PeterNeumann']);
  });

  it('of a checkpoint verify and give the text back', () => {
    expect(verifySignedNote(note, [{ name: NAME, raw }])).toEqual({ text, signedBy: [NAME] });
    expect(parseCheckpointText(text)).toEqual({
      origin: NAME,
      size: 7,
      rootBase64: Buffer.alloc(32, 3).toString('base64'),
    });
    expect(note).toMatch(/^lazaret\/inc-1\n7\nAwMD[A-Za-z0-9+/]+=\n\n— lazaret\/inc-1 [A-Za-z0-9+/]+=*\n$/);
  });

  it('ignore signatures of unknown keys, also of one that takes a known name', () => {
    const other = createSigner({ name: 'other', privatePem: generateKey('EdDSA').privatePem });
    const otherRaw = verificationKeyOf(publicKeyOf(other)).raw;
    const foreign = {
      name: NAME,
      keyId: noteKeyId(NAME, 1, Buffer.from(otherRaw, 'hex')),
      signature: other.sign(new TextEncoder().encode(text)),
    };
    expect(refusal(formatSignedNote(text, [foreign, { name: NAME, keyId, signature }]))).toBe('accepted');
    expect(refusal(formatSignedNote(text, [foreign]))).toBe('unsigned');
  });

  it('are refused when a known key signed something else, even beside a good signature', () => {
    const bad = signer.sign(new TextEncoder().encode('another text\n'));
    const both = [
      { name: NAME, keyId, signature },
      { name: NAME, keyId, signature: bad },
    ];
    expect(refusal(formatSignedNote(text, both))).toBe('bad-signature');
  });

  it('are refused when any one bit is flipped', () => {
    const bytes = new TextEncoder().encode(note);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(refusal(new TextDecoder().decode(changed))).not.toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });

  it('are split at the last empty line, so that a signed text cannot carry signatures of its own', () => {
    const nested = `${note}more\n`;
    const outer = formatSignedNote(nested, [
      { name: NAME, keyId, signature: signer.sign(new TextEncoder().encode(nested)) },
    ]);
    expect(parseSignedNote(outer).text).toBe(nested);
    expect(refusal(outer)).toBe('accepted');
  });

  it.each([
    ['', 'nothing'],
    [text, 'no signature'],
    [note.slice(0, -1), 'no last newline'],
    [note.replace('\n7\n', '\r\n7\n'), 'a carriage return'],
    [note.replace('— ', '- '), 'a hyphen for the dash'],
    [`${note}\n`, 'an empty line at the end'],
    [note.replace(/— .*\n/, (line) => line.repeat(17)), 'seventeen signatures'],
  ])('are refused as malformed: %j (%#)', (candidate) => {
    expect(refusal(candidate)).toBe('malformed');
  });

  it.each([
    `${NAME}\n07\n${'A'.repeat(43)}=\n`,
    `${NAME}\n7\n${'A'.repeat(43)}=`,
    `${NAME}\n7\n${'A'.repeat(42)}B=\n`,
    `${NAME}\n7\n${'A'.repeat(43)}=\nextension\n`,
    `\n7\n${'A'.repeat(43)}=\n`,
    `${NAME}\n-1\n${'A'.repeat(43)}=\n`,
    `${NAME}\n9999999999999999\n${'A'.repeat(43)}=\n`,
  ])('have no checkpoint in %j', (candidate) => {
    expect(parseCheckpointText(candidate)).toBeNull();
  });

  it('are not made with a key name that has a space or an origin of two lines', () => {
    expect(() => formatSignedNote(text, [{ name: 'a b', keyId, signature }])).toThrow(TypeError);
    expect(() => formatSignedNote(text, [])).toThrow(TypeError);
    expect(() => checkpointText({ origin: 'a\nb', size: 1, rootBase64: `${'A'.repeat(43)}=` })).toThrow(TypeError);
  });
});
