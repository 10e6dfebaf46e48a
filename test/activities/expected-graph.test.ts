import { expect, it } from '@jest/globals';
import { expectedGraph } from '../../activities/expected-graph.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import { graphHash } from '../../forensics/onnx/graph-hash.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { modelBytes } from '../forensics/vectors.ts';
import { createWorld, storedDigits, storedModel, trainingRun } from './world.ts';

const golden = readModel(modelBytes('family/own'));
const vote = modelBytes('family/vote');

it('is the vote where signed provenance says so, and nowhere else', async () => {
  const world = createWorld();
  const model = await storedModel(world, 'voted-1', vote, world.signers.pipeline);
  const expected = () => expectedGraph(world.deps, model.artifact.digest, golden);
  expect(await expected()).toBe(graphHash(golden));

  const { job, result } = trainingRun(model.artifact, await storedDigits(world, 'new'));
  const options = { partitionVote: { partitions: 3 } };
  const voted = { ...job, objective: 'partition-vote' as const, options };
  await createRecoverActivities(world.deps).recordProvenance({ job: voted, result, builder: 'lazaret' });
  expect(await expected()).toBe(graphHash(readModel(vote)));
});
