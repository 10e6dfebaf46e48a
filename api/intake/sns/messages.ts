import { z } from 'zod';
import { kindOf, type About } from '../../../domain/incident/alert-mapping.ts';
import type { IncidentKind } from '../../../domain/incident/kinds.ts';
import { moment } from '../source.ts';

/** CloudWatch writes the offset of a moment without its colon. */
const awsMoment = z
  .string()
  .transform((text) => text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  .pipe(moment);

/** EventBridge's event of a processing job. Model Monitor runs as one, whose exit message says whether constraints were violated. */
const processingSchema = z.object({
  source: z.literal('aws.sagemaker'),
  'detail-type': z.literal('SageMaker Processing Job State Change'),
  time: moment,
  detail: z.object({
    ProcessingJobName: z.string(),
    ProcessingJobArn: z.string(),
    ProcessingJobStatus: z.string(),
    ExitMessage: z.string().nullish(),
    MonitoringScheduleArn: z.string().nullish(),
    ProcessingInputs: z
      .array(z.object({ EndpointInput: z.object({ EndpointName: z.string() }).nullish() }))
      .default([]),
    Environment: z.record(z.string(), z.string()).nullish(),
  }),
});

/** EventBridge's event of an alarm, such as one over `feature_baseline_drift_…` of `aws/sagemaker/Endpoints/data-metrics`. */
const alarmEventSchema = z.object({
  source: z.literal('aws.cloudwatch'),
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  time: moment,
  resources: z.array(z.string()).default([]),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.string(), reason: z.string().optional(), timestamp: awsMoment.optional() }),
    configuration: z
      .object({
        metrics: z
          .array(
            z.object({
              metricStat: z
                .object({
                  metric: z.object({
                    namespace: z.string().optional(),
                    name: z.string().optional(),
                    dimensions: z.record(z.string(), z.string()).default({}),
                  }),
                })
                .optional(),
            }),
          )
          .default([]),
      })
      .optional(),
  }),
});

/** The message of an alarm whose action is the topic itself. */
const alarmActionSchema = z.object({
  AlarmName: z.string(),
  AlarmArn: z.string().optional(),
  NewStateValue: z.string(),
  NewStateReason: z.string().optional(),
  StateChangeTime: awsMoment,
  Trigger: z.object({
    MetricName: z.string().optional(),
    Namespace: z.string().optional(),
    Dimensions: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  }),
});

/** The three forms of a message that are read. */
export const messageSchema = z.union([processingSchema, alarmEventSchema, alarmActionSchema], {
  error:
    'expected an event of EventBridge about a SageMaker processing job or a CloudWatch alarm, or the message of an alarm',
});
type Message = z.output<typeof messageSchema>;

export interface SnsAlert {
  /** The same for every event about the same change: EventBridge may send several. */
  readonly id: string;
  readonly about: About;
  readonly kind: IncidentKind;
  readonly status: 'firing' | 'resolved';
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

const ALARM: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['ALARM', 'firing'],
  ['OK', 'resolved'],
]);

/** Null where the message is about something that is no alert: a job that failed, an alarm without data. */
export function alertOfMessage(message: Message): SnsAlert | null {
  if ('AlarmName' in message) {
    const { AlarmName, AlarmArn, NewStateValue, NewStateReason, StateChangeTime, Trigger } = message;
    const dimensions = Object.fromEntries(Trigger.Dimensions.map(({ name, value }) => [name, value]));
    const { MetricName: metric, Namespace: namespace } = Trigger;
    return alarm({ name: AlarmName, arn: AlarmArn, state: NewStateValue, reason: NewStateReason }, StateChangeTime, {
      metric,
      namespace,
      dimensions,
    });
  }
  if (message.source === 'aws.cloudwatch') {
    const { alarmName: name, state, configuration } = message.detail;
    const metric = configuration?.metrics.find((one) => one.metricStat)?.metricStat?.metric;
    const measured = { metric: metric?.name, namespace: metric?.namespace, dimensions: metric?.dimensions ?? {} };
    const arn = message.resources[0];
    return alarm({ name, arn, state: state.value, reason: state.reason }, state.timestamp ?? message.time, measured);
  }
  return violations(message);
}

interface Measured {
  readonly metric: string | undefined;
  readonly namespace: string | undefined;
  readonly dimensions: Readonly<Record<string, string>>;
}

function alarm(
  about: { name: string; arn: string | undefined; state: string; reason: string | undefined },
  at: string,
  { metric = '', namespace = '', dimensions }: Measured,
): SnsAlert | null {
  const status = ALARM.get(about.state);
  if (status === undefined) return null;
  const named = ['Endpoint', 'EndpointName'].flatMap((name) => dimensions[name] ?? []);
  return {
    id: `${about.arn ?? about.name}:${about.state}:${at}`,
    about: { names: [...named, about.name] },
    kind: kindOf({ alertname: `${about.name} ${metric}` }),
    status,
    title: about.reason ? `${about.name}: ${about.reason}` : about.name,
    labels: { ...dimensions, alarm: about.name, metric, namespace },
    startsAt: at,
  };
}

function violations({ detail, time }: z.output<typeof processingSchema>): SnsAlert | null {
  const { ProcessingJobArn: arn, ExitMessage: exit, MonitoringScheduleArn: schedule } = detail;
  const found = /^(CompletedWithViolations|Completed):/.exec(exit ?? '')?.[1];
  if (found === undefined || detail.ProcessingJobStatus !== 'Completed') return null;
  const endpoints = detail.ProcessingInputs.flatMap((input) => input.EndpointInput?.EndpointName ?? []);
  const names = [
    ...endpoints,
    detail.Environment?.['sagemaker_endpoint_name'] ?? [],
    schedule?.split('/').at(-1) ?? [],
  ];
  return {
    id: `${arn}:${found}`,
    about: { names: names.flat() },
    kind: 'drift',
    status: found === 'Completed' ? 'resolved' : 'firing',
    title: `SageMaker Model Monitor: ${exit}`,
    labels: { job: detail.ProcessingJobName, schedule: schedule ?? '', endpoint: endpoints[0] ?? '' },
    startsAt: time,
  };
}
