import { verifyModel } from '../../model-signing/verify.ts';
import { readTrainingProvenance } from '../../statements/provenance.ts';
import { verifyStatement } from '../../statements/statement.ts';
import { FILES } from '../form.ts';
import { failed, need, passed, type Check } from './check.ts';
import { messageOf } from './part.ts';

/** The released model: signed by a key that may, and with a history. */
export const ARTIFACT_CHECKS: readonly Check[] = [
  {
    id: 'model-signature',
    promise: 'A key trusted for models signed these very bytes, as any OpenSSF Model Signing verifier can tell.',
    run({ about, machines, files }) {
      const { release } = need(about);
      if (!release) return passed('nothing was released');
      const place = FILES.object(release.signature.digest);
      const signature = files.get(place);
      const artifact = files.get(FILES.object(release.artifact.digest));
      if (!signature || !artifact)
        return failed(
          signature ? FILES.object(release.artifact.digest) : place,
          'the released model or its signature is not in the bundle',
        );
      try {
        const { keyName } = verifyModel(signature, [{ name: 'model.onnx', bytes: artifact }], need(machines), 'model');
        return passed(`${release.artifact.name}, signed by "${keyName}"`);
      } catch (error) {
        return failed(place, messageOf(error));
      }
    },
  },
  {
    id: 'provenance',
    promise:
      'It is on signed record how the released model was trained: by which code, from which checkpoint, on which version of the data.',
    run({ about, machines, files, log }) {
      const { release, outcome } = need(about);
      if (!release) return passed('nothing was released');
      if (!release.provenance) {
        return outcome === 'repaired'
          ? failed(FILES.case, 'a repaired model has to have a provenance')
          : passed('the golden model was put back; it was not trained in this incident');
      }
      const place = FILES.object(release.provenance.digest);
      const envelope = files.get(place);
      if (!envelope) return failed(place, 'the provenance is not in the bundle');
      try {
        const run = readTrainingProvenance(verifyStatement(envelope, need(machines), 'provenance'));
        if (run.artifact !== release.artifact.digest) return failed(place, `the provenance is that of ${run.artifact}`);
        const dataset = run.dataset.manifest.digest;
        const known = need(log).entries.some((entry) => entry.outputs.includes(dataset));
        if (outcome === 'repaired' && !known)
          return failed(
            place,
            `the model was trained on the data set version ${dataset}, which this incident did not make`,
          );
        return passed(`trained by ${run.builder} as ${run.jobId} on ${run.dataset.name} ${dataset}`);
      } catch (error) {
        return failed(place, messageOf(error));
      }
    },
  },
];
