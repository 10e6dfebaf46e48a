import { sleep } from '@temporalio/activity';
import { profileSchema, type GoldenRecord, type Profile } from '../domain/contracts/golden.ts';
import type {
  CanaryFigures,
  RegisteredGolden,
  RegisterGoldenInput,
  ReleaseActivities,
} from '../domain/contracts/activities.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { ModelRef } from '../domain/contracts/stance.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { hexOf } from '../domain/proofs/digest.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { BUNDLE_MEDIA_TYPE } from '../evidence/model-signing/bundle.ts';
import { signModel } from '../evidence/model-signing/sign.ts';
import { verifyModel } from '../evidence/model-signing/verify.ts';
import { evaluate } from '../forensics/evaluation/evaluation.ts';
import { profileOf } from '../forensics/evaluation/profile.ts';
import { readModel } from '../forensics/onnx/reader.ts';
import { endpointOf, type ActivityDependencies } from './dependencies.ts';
import { goldenOf, withPredictors } from './examination.ts';

type Needs = Pick<
  ActivityDependencies,
  'configuration' | 'keys' | 'store' | 'registry' | 'signers' | 'golden' | 'adapter' | 'infer' | 'now'
>;

const CANARY_POLL_MS = 100;
/** Probes sent between two looks at the counters, so that a canary on a quiet endpoint ends too. */
const PROBES_PER_TURN = 50;

export function createReleaseActivities(deps: Needs): ReleaseActivities {
  const put = (value: unknown, name: string): Promise<ObjectRef> =>
    deps.store.put('artifacts', new TextEncoder().encode(canonicalJson(value)), {
      mediaType: 'application/json',
      name,
    });

  /** The registry's signature over the artifact. ECDSA is randomised, so the first one made is kept by a name of its own. */
  const sign = async (artifact: ObjectRef): Promise<ObjectRef> => {
    const key = `signatures/${hexOf(artifact.digest)}.json`;
    const bundle = signModel([{ name: 'model.onnx', bytes: await deps.store.get(artifact) }], deps.signers.registry);
    await deps.store.writeDocument(key, bundle, BUNDLE_MEDIA_TYPE, null);
    const kept = await deps.store.readDocument(key);
    return await deps.store.put('artifacts', kept?.bytes ?? bundle, {
      mediaType: BUNDLE_MEDIA_TYPE,
      name: 'model.onnx.sig',
    });
  };

  const profile = async (bytes: Uint8Array, holdout: Awaited<ReturnType<typeof readDataset>>): Promise<Profile> =>
    await withPredictors([bytes], async (predictor) => {
      if (!predictor) throw new Failure('internal/error', 'one model was asked for');
      const { profile: measured, probes } = await profileOf(predictor, readModel(bytes), holdout.columns, {
        shape: holdout.manifest.featureShape,
      });
      return {
        ...measured,
        probes: {
          inputs: await put(probes.inputs, 'probe-inputs.json'),
          outputs: await put(probes.outputs, 'probe-outputs.json'),
          count: probes.count,
        },
      };
    });

  const register = async (input: RegisterGoldenInput): Promise<RegisteredGolden> => {
    const before = await deps.registry.latest(input.model);
    const holdoutRef = input.holdout ?? before?.holdout;
    if (!holdoutRef)
      throw new Failure('golden/missing', `the first golden record of ${input.model} needs a clean hold-out data set`);
    const bytes = await deps.store.get(input.artifact);
    const signature = input.signature ?? (await sign(input.artifact));
    const ref: ModelRef = { version: input.version, artifact: input.artifact, signature };
    await demandSignature(ref, bytes);
    const holdout = await readDataset(deps.store, holdoutRef, deps.keys);
    const evaluation = await withPredictors([bytes], async (predictor) => {
      if (!predictor) throw new Failure('internal/error', 'one model was asked for');
      return await evaluate(
        predictor,
        holdout.columns,
        holdout.manifest.classes,
        holdoutRef.manifest.digest,
        holdout.manifest.featureShape,
      );
    });
    const known = await deps.registry.record(input.model, input.version);
    // A version names one artifact for ever: answering with the old record would vouch for a model that nobody asked about.
    if (known && known.ref.artifact.digest !== input.artifact.digest)
      throw new Failure(
        'golden/untrusted',
        `${input.model} ${input.version} is registered already and is about another artifact`,
      );
    const record: GoldenRecord = known ?? {
      schema: 'lazaret.golden/v1',
      model: input.model,
      ref,
      provenance: input.provenance,
      dataset: input.dataset,
      holdout: holdoutRef,
      hyperparameters: input.hyperparameters,
      evaluation,
      profile: await put(await profile(bytes, holdout), 'profile.json'),
      parent: before?.ref.artifact.digest ?? null,
      regressions: [...input.regressions],
      registeredAt: deps.now().toISOString(),
      registeredBy: input.registeredBy,
    };
    const written = await deps.registry.write(record, deps.signers.registry);
    return {
      model: input.model,
      version: input.version,
      ref: record.ref,
      record: written,
      evaluation: record.evaluation,
    };
  };

  /** A record must not vouch for a model that gateways would refuse. */
  const demandSignature = async (ref: ModelRef, bytes: Uint8Array): Promise<void> => {
    try {
      verifyModel(await deps.store.get(ref.signature), [{ name: 'model.onnx', bytes }], deps.keys, 'model');
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure(
        'golden/untrusted',
        `the signature of ${ref.version} does not verify: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  };

  return {
    signRelease: async ({ incident, artifact, subject }) => {
      if (subject.artifact !== artifact.digest) {
        throw new Failure('release/evidence-moved', 'the artifact is not the one that was approved');
      }
      return { ref: { version: `repaired-${incident}`, artifact, signature: await sign(artifact) } };
    },

    registerGolden: register,

    promoteGolden: async ({ model, version }) => {
      await deps.registry.promote(model, version, deps.now(), deps.signers.registry);
      await deps.golden.refresh();
    },

    observeCanary: async ({ endpoint, requests, timeoutSeconds }): Promise<CanaryFigures> => {
      const golden = await goldenOf(deps, endpointOf(deps, endpoint).model);
      const reference = profileSchema.parse(JSON.parse(new TextDecoder().decode(await deps.store.get(golden.profile))));
      const { columns, manifest } = await readDataset(deps.store, golden.holdout, deps.keys);
      const deadline = deps.now().getTime() + timeoutSeconds * 1000;
      for (let turn = 0; ; turn += 1) {
        const { counters } = await deps.adapter(endpoint).read(endpoint);
        const seen = counters.arms['candidate'];
        const figures: CanaryFigures = {
          requests: seen?.requests ?? 0,
          errors: seen?.errors ?? 0,
          meanConfidence: seen && seen.requests > 0 ? seen.confidenceSum / seen.requests : 0,
          goldenMeanConfidence: reference.confidence.mean,
          classMix: mixOf(seen?.byClass ?? []),
          counters,
        };
        if (figures.requests >= requests || deps.now().getTime() > deadline) return figures;
        const rows = Array.from(
          { length: PROBES_PER_TURN },
          (_, probe) => (turn * PROBES_PER_TURN + probe) % columns.count,
        );
        await Promise.all(
          rows.map((row) =>
            deps.infer(
              endpoint,
              [Array.from(columns.features.subarray(row * columns.width, (row + 1) * columns.width))],
              manifest.featureShape,
            ),
          ),
        );
        await sleep(CANARY_POLL_MS);
      }
    },
  };
}

function mixOf(byClass: readonly number[]): readonly number[] {
  const total = byClass.reduce((sum, count) => sum + count, 0);
  return byClass.map((count) => (total === 0 ? 0 : count / total));
}
