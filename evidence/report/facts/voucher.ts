import { narrowApproval } from '../../../domain/proofs/approval-form.ts';
import { decodeBase64url } from '../../../domain/proofs/base64url.ts';
import { decodeUtf8, parseStrictJson } from '../../../domain/proofs/strict-json.ts';

/**
 * Whose key stands under a decision: the person's own, or a voucher's (the API vouches for a caller it authenticated). Read from the
 * statement without checking its signature: the workflow checked it when it was accepted, and `verify` checks it again offline.
 */
export function signedBy(statement: string): { readonly own: boolean; readonly words: string } | null {
  try {
    const payload = narrowApproval(parseStrictJson(decodeUtf8(decodeBase64url(statement.split('.')[1] ?? ''))));
    if (typeof payload === 'string') return null;
    return payload.vouchedBy === null
      ? { own: true, words: 'own key' }
      : { own: false, words: `vouched for by ${payload.vouchedBy}` };
  } catch {
    return null;
  }
}
