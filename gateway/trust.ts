import { verifyModel } from '../evidence/model-signing/verify.ts';
import type { TrustedKey } from '../evidence/ports.ts';
import type { ModelVerifier } from './ports.ts';

/** The name that a served model is signed under (OMS: a single file is named by its basename). */
export const MODEL_FILE = 'model.onnx';

/** Only keys of use `model` vouch for model bytes. */
export function createModelVerifier(keys: readonly TrustedKey[]): ModelVerifier {
  return (bundle, model) => verifyModel(bundle, [{ name: MODEL_FILE, bytes: model }], keys, 'model');
}
