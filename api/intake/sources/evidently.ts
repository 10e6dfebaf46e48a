import { z } from 'zod';
import { aboutOf, kindOf } from '../../../domain/incident/alert-mapping.ts';
import { jsonSource, moment } from '../source.ts';
import { verifySigned } from '../standard-webhooks.ts';

const shortText = z.string().max(200);

/** A test of a run: `MetricTestResult` of 0.6 and later, or a test of a `TestSuite` before. */
const testSchema = z.object({
  name: z.string().max(1000),
  description: z.string().max(5000).default(''),
  status: z.string().max(40),
});

/**
 * What `run.dict()` of Evidently 0.6 and later, or `suite.as_dict()` before, gives, with `endpoint` (or `model`) beside it: src/evidently/core/report.py of
 * https://github.com/evidentlyai/evidently. Evidently itself sends nothing; docs/connect.md has the ten lines that do.
 */
const evidentlySchema = z.object({
  endpoint: shortText.optional(),
  model: shortText.optional(),
  timestamp: moment.optional(),
  metrics: z.array(z.unknown()).optional(),
  tests: z.array(testSchema),
});

export const evidently = jsonSource({
  name: 'evidently',
  summary: 'The tests of a run of Evidently, signed by the Standard Webhooks scheme',
  proof: 'Headers webhook-id, webhook-timestamp, webhook-signature (v1,<base64 HMAC-SHA256 of id.timestamp.body>).',
  challenge: 'StandardWebhooks',
  schema: evidentlySchema,
  verify: (delivery, { credentials }) => verifySigned(delivery, credentials.evidently),
  claims: ({ endpoint, model, timestamp, tests }, { delivery, id = '' }) => {
    const failed = tests.filter(({ status }) => status.toUpperCase() === 'FAIL');
    if (tests.length === 0) return { claims: [], ignored: 'The run has no tests.' };
    const at = timestamp ?? delivery.receivedAt.toISOString();
    const names = failed.map(({ name }) => name);
    return {
      claims: [
        {
          id,
          about: aboutOf({
            ...(endpoint === undefined ? {} : { endpoint }),
            ...(model === undefined ? {} : { model }),
          }),
          kind: named(names.join('; ')),
          status: failed.length > 0 ? 'firing' : 'resolved',
          severity: null,
          title:
            failed.length > 0
              ? `Evidently: ${failed.length} of ${tests.length} tests failed: ${names.join('; ')}`
              : `Evidently: all ${tests.length} tests passed`,
          labels: Object.fromEntries(
            failed.slice(0, 20).map((test, index) => [`failed.${index + 1}`, `${test.name}: ${test.description}`]),
          ),
          startsAt: at,
          body: JSON.stringify({ endpoint, model, tests }),
        },
      ],
    };
  },
});

/** Evidently compares data with a reference: what its tests find is drift, unless a name says something worse. */
function named(names: string): ReturnType<typeof kindOf> {
  const kind = kindOf({ alertname: names });
  return kind === 'unknown' ? 'drift' : kind;
}
