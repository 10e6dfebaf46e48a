import { ANALYSERS, type AnalyserName } from '../../domain/contracts/finding.ts';
import { activationsAnalyser } from './activations.ts';
import { backdoorAnalyser } from './backdoor.ts';
import { behaviourAnalyser } from './behaviour.ts';
import { duplicatesAnalyser } from './duplicates.ts';
import { extractionAnalyser } from './extraction.ts';
import { graphAnalyser } from './graph.ts';
import { lineageAnalyser } from './lineage.ts';
import { poisonAnalyser } from './poison.ts';
import { requestsAnalyser } from './requests.ts';
import { signatureAnalyser } from './signature.ts';
import { structureAnalyser } from './structure.ts';
import { trainingRecordsAnalyser } from './training-records.ts';
import { weightsAnalyser } from './weights.ts';

/** The analysers by name. A new one is a file, a name in ANALYSERS and a line here. */
export const registry = {
  signature: signatureAnalyser,
  lineage: lineageAnalyser,
  graph: graphAnalyser,
  structure: structureAnalyser,
  weights: weightsAnalyser,
  behaviour: behaviourAnalyser,
  backdoor: backdoorAnalyser,
  poison: poisonAnalyser,
  duplicates: duplicatesAnalyser,
  requests: requestsAnalyser,
  activations: activationsAnalyser,
  extraction: extractionAnalyser,
  'training-records': trainingRecordsAnalyser,
} as const satisfies Record<AnalyserName, { readonly name: AnalyserName; readonly question: string }>;

/** Name and question of every analyser, in the order of the report. */
export const questions: readonly { readonly name: AnalyserName; readonly question: string }[] = ANALYSERS.map(
  (name) => ({
    name,
    question: registry[name].question,
  }),
);
