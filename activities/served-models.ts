import type { AnalysisSubject } from '../domain/contracts/activities.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import { Failure } from '../domain/incident/failure.ts';
import { digestOf, type Digest } from '../domain/proofs/digest.ts';
import { verifyModel } from '../evidence/model-signing/verify.ts';
import { DOCUMENTS } from '../evidence/ports.ts';
import type { LineageNeeds } from '../forensics/analysers/lineage.ts';
import type { SignatureNeeds } from '../forensics/analysers/signature.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { versionBehind, versionOf } from './examination.ts';
import { answeringModel } from './preserve.ts';
import { readOrder } from './stance-orders.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'adapter'>;

/** Who vouches for the model that was served: by the gateway's word and by a check of our own over the preserved bytes. */
export async function signatureNeeds(
  deps: Needs,
  subject: AnalysisSubject,
  golden: GoldenRecord | null,
): Promise<SignatureNeeds> {
  const { model, signature, modelDigest } = subject.capture;
  const live = subject.receipt.before.loaded.find((loaded) => loaded.digest === modelDigest);
  const bytes = model && (await deps.store.get(model));
  const check = async (): Promise<SignatureNeeds['ownCheck']> => {
    if (!bytes || !signature) return null;
    try {
      const { keyName } = verifyModel(
        await deps.store.get(signature),
        [{ name: 'model.onnx', bytes }],
        deps.keys,
        'model',
      );
      return { verified: true, keyName, reason: null };
    } catch (error) {
      if (error instanceof Failure) throw error;
      return { verified: false, keyName: null, reason: error instanceof Error ? error.message : String(error) };
    }
  };
  return {
    servedDigest: modelDigest,
    goldenDigest: golden?.ref.artifact.digest ?? null,
    signature: live?.signature ?? null,
    ownCheck: await check(),
    gatewayDigestMatchesBytes: bytes ? digestOf(bytes) === modelDigest : null,
    registryKeys: deps.keys.filter((key) => key.uses.includes('golden')).map((key) => key.name),
  };
}

/** What was behind the suspect, the golden model, and what every other endpoint serves. */
export async function lineageNeeds(
  deps: Needs,
  subject: AnalysisSubject,
  golden: GoldenRecord | null,
): Promise<LineageNeeds> {
  const suspect = subject.capture.modelDigest ? await versionBehind(deps, subject.capture.modelDigest) : null;
  const endpoints = await Promise.all(
    Object.keys(deps.configuration.endpoints).map(async (endpoint) => {
      // The origin is contained already: what it served is in the receipt, not in what it answers with now.
      const artifact = endpoint === subject.endpoint ? subject.capture.modelDigest : await servedBy(deps, endpoint);
      if (artifact === null)
        return { endpoint, artifact, manifest: null, unknown: 'the endpoint does not tell what it serves' };
      const behind = await versionBehind(deps, artifact);
      return { endpoint, artifact, manifest: behind.version, unknown: behind.version ? null : behind.unknown };
    }),
  );
  return {
    suspectManifest: suspect?.version ?? null,
    goldenManifest: golden && (await versionOf(deps, golden.dataset)),
    endpoints,
  };
}

/**
 * What an endpoint serves: by its own word, and where it is away or just starting by its desired stance, which is what it will serve. A
 * replica that restarts in the middle of an incident MUST NOT drop out of the blast radius.
 */
async function servedBy(deps: Needs, endpoint: string): Promise<Digest | null> {
  const status = await deps
    .adapter(endpoint)
    .read(endpoint)
    .catch(() => null);
  const live = status && answeringModel(status.stance);
  if (live) return live.artifact.digest;
  const document = await deps.store.readDocument(DOCUMENTS.stance(endpoint));
  const desired = document && readOrder(new TextDecoder().decode(document.bytes), deps.keys);
  return desired?.order.endpoint === endpoint ? (answeringModel(desired.order.stance)?.artifact.digest ?? null) : null;
}
