import { z } from 'zod';
import { aboutOf, kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { verifySharedSecret } from '../proofs.ts';
import { jsonSource, moment } from '../source.ts';

/**
 * An event of Falco, as falcosidekick's webhook output sends it: types/types.go and docs/outputs/webhook.md of
 * https://github.com/falcosecurity/falcosidekick
 */
const falcoSchema = z.object({
  uuid: z.string().max(100).optional(),
  output: z.string(),
  priority: z.string().max(40),
  rule: z.string().max(500),
  time: moment,
  source: z.string().max(100).optional(),
  hostname: z.string().max(300).optional(),
  tags: z.array(z.string().max(200)).nullish(),
  output_fields: z.record(z.string().max(200), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullish(),
});

/** Fields that name what runs there, from the most to the least specific. */
const NAMES = [
  'k8s.deployment.name',
  'k8s.rc.name',
  'k8s.pod.name',
  'container.name',
  'container.image.repository',
  'k8s.ns.name',
] as const;

export const falco = jsonSource({
  name: 'falco',
  summary: 'An event of a rule of Falco, as falcosidekick sends it',
  proof: 'Authorization: Bearer with the shared credential, as a custom header; falcosidekick signs nothing.',
  challenge: 'Bearer realm="lazaret alerts"',
  schema: falcoSchema,
  verify: (delivery, { credentials }) => verifySharedSecret(delivery, credentials.falco),
  claims: (event, { delivery }) => {
    const fields = Object.fromEntries(
      Object.entries(event.output_fields ?? {}).flatMap(([name, value]) =>
        value === null ? [] : [[name, String(value)]],
      ),
    );
    const given = aboutOf(fields);
    return {
      claims: [
        {
          id: event.uuid ?? digestOf(delivery.raw),
          about:
            given.endpoint === undefined ? { ...given, names: NAMES.flatMap((name) => fields[name] ?? []) } : given,
          kind: kindOf({ ...('kind' in fields ? { kind: fields['kind'] ?? '' } : {}), alertname: event.rule }),
          status: 'firing',
          severity: severityOf({ severity: event.priority }),
          title: `${event.rule}: ${event.output}`,
          labels: { ...fields, rule: event.rule, host: event.hostname ?? '', tags: (event.tags ?? []).join(', ') },
          startsAt: event.time,
          body: delivery.raw.toString('utf8'),
        },
      ],
    };
  },
});
