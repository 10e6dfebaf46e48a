import { proxyActivities } from '@temporalio/workflow';
import type {
  OnTheWire,
  RegisteredGolden,
  RegisterGoldenInput,
  ResponseActivities,
} from '../domain/contracts/activities.ts';
import { ANALYSIS, STORAGE } from '../domain/incident/limits.ts';

/** Evaluates, profiles, signs and registers a model as golden: the way in for every model that Lazaret may have to repair. */
export async function registerGoldenModel(input: RegisterGoldenInput): Promise<RegisteredGolden> {
  const { value: golden } = await proxyActivities<OnTheWire<ResponseActivities>>({
    ...ANALYSIS,
    summary: `evaluate and register ${input.model} ${input.version}`,
  }).registerGolden(input);
  await proxyActivities<OnTheWire<ResponseActivities>>({
    ...STORAGE,
    summary: 'make it the latest golden model',
  }).promoteGolden({
    model: golden.model,
    version: golden.version,
  });
  return golden;
}
