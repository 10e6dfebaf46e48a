import { z } from 'zod';

/** How much harm the use of an endpoint can do; it decides how strict the gates are where no threshold is given. */
export const RISK_CLASSES = ['low', 'limited', 'high'] as const;
export type RiskClass = (typeof RISK_CLASSES)[number];
export const riskClassSchema = z.enum(RISK_CLASSES);

const share = () => z.number().min(0).max(1).optional();
const points = () => z.number().min(0).max(100).optional();

/** Gates that need a trainer. Where none answers they are absent, and undecided for an endpoint that demands them. */
export const DEMANDABLE_GATES = ['robustness:pgd', 'backdoor-scan'] as const;
export type DemandableGate = (typeof DEMANDABLE_GATES)[number];
export const demandsSchema = z
  .array(z.enum(DEMANDABLE_GATES))
  .default([])
  .describe(
    'Gates that must be decided before a release. They need a trainer; without one they are absent, and here undecided.',
  );

/** Thresholds of the validation. What is absent comes from the risk class (`domain/incident/thresholds.ts`). */
export const gateThresholdsSchema = z
  .strictObject({
    maxAccuracyDropPp: points().describe(
      'Percentage points below the golden model on the hold-out. Default by risk class: high 1, limited 2, low 3.',
    ),
    maxAttackSuccess: share().describe(
      'Share of the captured attack that still succeeds, or the golden rate if higher. high 0.01, limited 0.02, low 0.05.',
    ),
    maxEce: share().describe(
      'Expected calibration error on the hold-out, or the golden one plus 0.02 if higher. high 0.1, limited 0.15, low 0.2.',
    ),
    maxClassRecallDropPp: points().describe(
      'Percentage points any class may lose against the golden model. high 10, limited 15, low 20.',
    ),
    maxTriggerGain: share().describe(
      'By which share the trigger recovered from the suspect may succeed more often than on the golden model. high 0.05, limited 0.1, low 0.15.',
    ),
    maxClassMixShift: share().describe(
      'Total variation distance between the answers of candidate and golden model, by class. high 0.05, limited 0.1, low 0.2.',
    ),
    minSelectionRatio: share().describe(
      'Least ratio of the rates at which groups get the favourable class (0.8: four-fifths rule). 0.8 in every class.',
    ),
    maxEqualisedOddsDifference: share().describe(
      'Largest difference between groups in the rate of rightly or wrongly favoured records. high 0.1, limited 0.15, low 0.2.',
    ),
    maxSliceDropPp: points().describe(
      'Percentage points of accuracy any declared slice or group may lose against the golden model. high 5, limited 10, low 15.',
    ),
    maxRobustDropPp: points().describe(
      'Percentage points of accuracy under attack below the golden model. high 10, limited 15, low 20.',
    ),
    maxMembershipAuc: share().describe(
      'How well losses tell training records from others (area under the ROC curve; 0.5 is not at all), or the golden figure plus 0.03 if higher. high 0.6, limited 0.65, low 0.7.',
    ),
  })
  .describe('Thresholds of the validation; what is not given comes from the risk class of the endpoints.');
export type GateThresholds = z.infer<typeof gateThresholdsSchema>;

/** Cuts records into groups by one of their features: two groups at a threshold, or one group for each value. */
export const groupingSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
      .describe('Stands in the report and in the id of the gate, e.g. `sex`.'),
    feature: z.number().int().nonnegative().describe('Place of the feature in the record, row-major, from 0.'),
    threshold: z.number().optional().describe('Two groups: at most this value, and above it.'),
    values: z
      .array(z.number())
      .min(2)
      .max(50)
      .optional()
      .describe('One group for each of these values; records with another value belong to none.'),
  })
  .refine((one) => (one.threshold === undefined) !== (one.values === undefined), {
    error: 'give either "threshold" or "values"',
  })
  .refine((one) => new Set(one.values).size === (one.values?.length ?? 0), { error: 'a value is given twice' });
export type Grouping = z.infer<typeof groupingSchema>;

const groupingsSchema = z
  .array(groupingSchema)
  .max(20)
  .refine((all) => new Set(all.map((one) => one.name)).size === all.length, { error: 'a name is given twice' });

export const fairnessSchema = z
  .strictObject({
    favourable: z.string().min(1).max(200).describe('The class that people hope for, by its name in the data set.'),
    attributes: groupingsSchema.min(1).describe('Protected attributes: features that must not decide.'),
  })
  .describe('Groups that the model must not treat unlike. Without it there is no gate of fairness.');
export type Fairness = z.infer<typeof fairnessSchema>;

export const slicesSchema = groupingsSchema.describe('Parts of the hold-out on which accuracy is compared apart.');

/** How hard the candidate is attacked. Golden and candidate get the same budget and the same random numbers. */
export const robustnessSchema = z
  .strictObject({
    epsilon: z
      .number()
      .positive()
      .max(1)
      .default(0.1)
      .describe('Largest change of a feature, as a share of its range on the hold-out.'),
    records: z.number().int().min(50).max(10_000).default(200).describe('Records of the hold-out that are attacked.'),
    queries: z.number().int().min(10).max(10_000).default(100).describe('Questions per record, attack and model.'),
    seconds: z
      .number()
      .positive()
      .max(3600)
      .default(60)
      .describe('A model too slow for that many questions in this time is asked fewer, and the report says how many.'),
    steps: z.number().int().min(5).max(1000).default(20).describe('Steps of one ascent with the gradient (PGD).'),
    restarts: z
      .number()
      .int()
      .min(2)
      .max(100)
      .default(4)
      .describe('Ascents per record and norm; half of them climb the cross-entropy, half the margin.'),
    seed: z.number().int().nonnegative().max(4_294_967_295).default(0),
  })
  .describe('Budget of the attacks of the validation.');
export type Robustness = z.infer<typeof robustnessSchema>;
