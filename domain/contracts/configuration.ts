import { z } from 'zod';
import { SENSITIVITIES } from '../incident/kinds.ts';
import { EXAMINATION_WAIT_SECONDS } from '../incident/limits.ts';
import { endpointNameSchema } from './alert.ts';
import { publicKeySchema, roleSchema } from './approval.ts';
import {
  demandsSchema,
  fairnessSchema,
  gateThresholdsSchema,
  riskClassSchema,
  robustnessSchema,
  slicesSchema,
} from './gates.ts';
import { intakeSchema } from './intake.ts';
import { digestSchema } from './object-ref.ts';
import { platforms } from './platforms.ts';
import { fallbackRuleSchema, limitsSchema } from './stance.ts';
import { hyperparametersSchema, trainBudgetSchema, trainOptionsSchema } from './trainer.ts';

/** What happens without asking, by severity. `shadow` needs a golden model; where none can answer, the endpoint is isolated. `limit` leaves the model that answers in place. */
export const containmentActionSchema = z.enum(['isolate', 'shadow', 'fallback', 'limit', 'none']);
export type ContainmentAction = z.infer<typeof containmentActionSchema>;

const containmentSchema = z
  .strictObject({
    critical: containmentActionSchema.default('isolate'),
    high: containmentActionSchema.default('shadow'),
    medium: containmentActionSchema.default('shadow'),
    low: containmentActionSchema.default('none'),
  })
  .describe('What is done at once, without asking, by severity.');

const canarySchema = z
  .strictObject({
    share: z.number().gt(0).lte(1).default(0.25).describe('Share of requests the candidate answers.'),
    requests: z
      .number()
      .int()
      .min(20)
      .max(1_000_000)
      .default(200)
      .describe('Candidate answers to observe before judging.'),
    maxErrorRate: z.number().min(0).max(1).default(0.01),
    maxConfidenceDrop: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('Allowed drop of the mean top score against the golden profile.'),
    maxLatencyRatio: z
      .number()
      .min(1)
      .max(1000)
      .default(3)
      .describe('Allowed mean latency of the candidate on the gateway, in those of the golden model beside it.'),
    timeoutSeconds: z.number().int().positive().max(86_400).default(300),
  })
  .describe('How a repaired model earns all the traffic back.');

/** What every endpoint has, whatever serves it. */
const duties = {
  model: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .describe('Name of the model family in `models`.'),
  sensitivity: z
    .enum(SENSITIVITIES)
    .default('moderate')
    .describe('How much harm a wrong answer does; `high` and `safety` raise the severity.'),
  riskClass: riskClassSchema
    .default('high')
    .describe('Which defaults the gates of the validation have: `low`, `limited` or `high`, the strictest.'),
  gates: gateThresholdsSchema
    .prefault({})
    .describe('Thresholds of this endpoint, before those of its family. A family is held to its strictest endpoint.'),
  demands: demandsSchema,
  containment: containmentSchema.prefault({}),
  fallback: z
    .array(fallbackRuleSchema)
    .default([])
    .describe('Rules that answer in stance `fallback`; the last one has `when: null`.'),
  limits: limitsSchema.prefault({}).describe('What stance `limited` keeps from clients.'),
  canary: canarySchema.prefault({}),
};

const endpointSchema = z.discriminatedUnion('adapter', [
  z.strictObject({ ...platforms.gateway, ...duties }),
  z.strictObject({ ...platforms.istio, ...duties }),
  z.strictObject({ ...platforms.kserve, ...duties }),
  z.strictObject({ ...platforms.kubernetes, ...duties }),
  z.strictObject({ ...platforms.triton, ...duties }),
  z.strictObject({ ...platforms.sagemaker, ...duties }),
  z.strictObject({ ...platforms.envoy, ...duties }),
  z.strictObject({ ...platforms.webhook, ...duties }),
]);
export type EndpointConfig = z.infer<typeof endpointSchema>;

const modelSchema = z.strictObject({
  queue: z.string().min(1).max(200).default('trainer').describe('Temporal task queue of the trainer.'),
  hyperparameters: hyperparametersSchema
    .partial()
    .default({})
    .describe('For the retraining; what is not given comes from the golden record.'),
  budget: trainBudgetSchema.partial().default({}),
  retraining: trainOptionsSchema
    .pick({ holdBack: true, classBalance: true, augmentation: true, accumulation: true })
    .strict()
    .optional()
    .describe(
      'How a repair trains, whatever its objective: records held back, class balance, augmentation, parts of a batch.',
    ),
  taintFalseAlarmBudget: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.01)
    .describe('Share of clean training records that may be dropped by mistake.'),
  examinationWaitSeconds: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(EXAMINATION_WAIT_SECONDS)
    .describe(
      'How long an incident waits for a trainer to begin an examination; a pool that starts from zero needs minutes.',
    ),
  gates: gateThresholdsSchema.prefault({}),
  fairness: fairnessSchema.optional(),
  slices: slicesSchema.default([]),
  robustness: robustnessSchema.prefault({}),
});
export type ModelConfig = z.infer<typeof modelSchema>;

const personSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  name: z.string().min(1).max(100),
  roles: z.array(roleSchema).min(1),
  keys: z.array(publicKeySchema).default([]).describe('Keys this person signs approvals with.'),
  tokenDigest: digestSchema
    .nullable()
    .default(null)
    .describe('sha256 of the API token this person signs in with; null: no access to the API.'),
});
export type Person = z.infer<typeof personSchema>;

/** `lazaret.yaml`: what a user connects. `z.toJSONSchema` of this is `lazaret.schema.json`, for editors. */
export const configurationSchema = z
  .strictObject({
    version: z.literal(1),
    endpoints: z.record(endpointNameSchema, endpointSchema).describe('The endpoints Lazaret answers for.'),
    models: z.record(z.string().regex(/^[a-z0-9-]{1,63}$/), modelSchema).describe('The model families they serve.'),
    people: z.array(personSchema).min(1),
    gates: z
      .strictObject({
        plan: z
          .array(z.array(roleSchema).min(1))
          .min(1)
          .default([['ml-engineer', 'security-lead']]),
        release: z
          .array(z.array(roleSchema).min(1))
          .min(2)
          .default([['security-lead'], ['model-owner']]),
        command: z.array(roleSchema).min(1).default(['on-call', 'security-lead']),
      })
      .prefault({})
      .describe('Who approves: each inner list asks for one person with one of its roles; all must differ.'),
    intake: intakeSchema.optional(),
  })
  .superRefine((value, context) => {
    for (const [name, endpoint] of Object.entries(value.endpoints)) {
      if (!(endpoint.model in value.models)) {
        context.addIssue({
          code: 'custom',
          path: ['endpoints', name, 'model'],
          message: `unknown model "${endpoint.model}": declare it under models, or use one of ${Object.keys(value.models).join(', ') || '(none)'}`,
        });
      }
      const uses = Object.values(endpoint.containment).includes('fallback');
      if (uses && endpoint.fallback.at(-1)?.when !== null) {
        context.addIssue({
          code: 'custom',
          path: ['endpoints', name, 'fallback'],
          message: 'containment uses fallback, so give rules here, the last one with "when: null"',
        });
      }
    }
    for (const [name, endpoint] of Object.entries(value.intake?.names ?? {})) {
      if (Object.hasOwn(value.endpoints, endpoint)) continue;
      context.addIssue({
        code: 'custom',
        path: ['intake', 'names', name],
        message: `unknown endpoint "${endpoint}": declare it under endpoints, or use one of ${Object.keys(value.endpoints).join(', ')}`,
      });
    }
    const ids = value.people.map((person) => person.id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index)
        context.addIssue({ code: 'custom', path: ['people', index, 'id'], message: `"${id}" is declared twice` });
    });
    const kids = value.people.flatMap((person) => person.keys.map((key) => key.kid));
    kids.forEach((kid, index) => {
      if (kids.indexOf(kid) !== index)
        context.addIssue({ code: 'custom', path: ['people'], message: `key id "${kid}" is used twice` });
    });
    for (const gate of ['plan', 'release'] as const) {
      value.gates[gate].forEach((roles, index) => {
        if (!value.people.some((person) => person.roles.some((role) => roles.includes(role)))) {
          context.addIssue({
            code: 'custom',
            path: ['gates', gate, index],
            message: `nobody in people holds ${roles.join(' or ')}, so this gate could never open`,
          });
        }
      });
    }
  });
export type Configuration = z.infer<typeof configurationSchema>;
