import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ALERT_SIGNAL,
  DECIDE_UPDATE,
  ENTRIES_QUERY,
  STATE_QUERY,
  incidentIdOf,
} from '../../../domain/contracts/messages.ts';

/** The messages of an incident and nothing else: it counts alerts, closes on "close", goes on as a new run on "again", trains on "train". */
export async function incident(input: { endpoint: string }): Promise<unknown> {
  const name = incidentIdOf(input.endpoint, workflowInfo().firstExecutionRunId);
  upsertSearchAttributes({ LazaretIncident: [name], LazaretWaiting: ['plan'] });
  const alerts: string[] = [];
  let word = '';
  setHandler(defineSignal<[{ deliveryId: string }]>(ALERT_SIGNAL), ({ deliveryId }) => void alerts.push(deliveryId));
  setHandler(defineQuery(STATE_QUERY), () => ({
    incident: name,
    alerts,
    status: 'running',
    phase: word === 'train' ? 'recover' : 'plan',
    training: { progress: null, result: null },
  }));
  setHandler(defineQuery<unknown, [number]>(ENTRIES_QUERY), (from) => ({
    entries: alerts.map((summary, seq) => ({ seq, summary })).filter((entry) => entry.seq >= from),
  }));
  setHandler(
    defineUpdate<unknown, [string]>(DECIDE_UPDATE),
    (statement) => {
      word = statement;
      return { accepted: true, gate: 'plan', person: 'ada', remaining: 0 };
    },
    {
      validator: (statement) => {
        if (statement === 'forged') throw new Error('the signature does not verify');
      },
    },
  );
  await condition(() => word !== '');
  if (word === 'again') await continueAsNew<typeof incident>(input);
  if (word === 'train')
    await executeChild(retrain, {
      workflowId: `${name}/retrain/beating`,
      args: [{ job: { jobId: 'beating' } }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  return { incident: name, alerts };
}

export async function retrain(input: { job: { jobId: string } }): Promise<unknown> {
  if (input.job.jobId === 'beating')
    await proxyActivities<{ train(): Promise<void> }>({
      startToCloseTimeout: '1 minute',
      heartbeatTimeout: '10 seconds',
    }).train();
  if (input.job.jobId === 'bad') throw new TypeError('no such job');
  return { result: { jobId: input.job.jobId } };
}
