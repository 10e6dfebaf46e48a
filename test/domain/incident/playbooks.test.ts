import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ANALYSERS,
  type AnalyserName,
  type Finding,
  type FindingVerdict,
  type LineageDetail,
  type TrainingRecordsDetail,
} from '../../../domain/contracts/finding.ts';
import { INCIDENT_KINDS } from '../../../domain/incident/kinds.ts';
import {
  descendants,
  LEAST_CLEAN_RECORDS,
  NOTHING_BESIDE,
  propose,
  wavesFor,
  type Circumstances,
} from '../../../domain/incident/playbooks.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';

function found(analyser: AnalyserName, verdict: FindingVerdict, detail: Finding['detail'] = null): Finding {
  return { analyser, question: '?', verdict, confidence: null, summary: `${verdict} it is`, detail, failure: null };
}

function records(count: number, byBatch: TrainingRecordsDetail['byBatch'] = []): TrainingRecordsDetail {
  return {
    analyser: 'training-records',
    examined: 100,
    list: null,
    count,
    falseAlarmBudget: 0.01,
    threshold: 1,
    byBatch,
    flow: [],
  };
}

function lineage(endpoints: readonly Partial<LineageDetail['endpoints'][number]>[]): LineageDetail {
  return {
    analyser: 'lineage',
    suspectDataset: digestOf('suspect'),
    goldenDataset: digestOf('golden'),
    newBatches: [],
    missingBatches: [],
    endpoints: endpoints.map((about) => ({
      endpoint: 'gate',
      artifact: null,
      dataset: null,
      newBatches: [],
      unknown: null,
      ...about,
    })),
  };
}

const batch = (name: string, tainted: number, pValue: number): TrainingRecordsDetail['byBatch'][number] => ({
  batch: name,
  source: 'kiosk',
  records: 100,
  tainted,
  pValue,
});

const verdicts = fc.constantFrom<FindingVerdict>('compromised', 'suspicious', 'clean', 'inconclusive');
const findings = fc
  .tuple(...ANALYSERS.map(() => verdicts), fc.nat(3))
  .map(([...drawn]) =>
    ANALYSERS.map((analyser, index) =>
      found(
        analyser,
        drawn[index] as FindingVerdict,
        analyser === 'training-records' ? records(Number(drawn.at(-1))) : null,
      ),
    ),
  );

describe('the remedy a playbook proposes', () => {
  it('is retraining when tainted training records were found', () => {
    const proposal = propose([found('training-records', 'compromised', records(5)), found('weights', 'suspicious')]);
    expect(proposal).toEqual({
      remedy: 'retrain',
      reasons: ['training-records: compromised it is', 'weights: suspicious it is'],
    });
  });

  it('is restoring the golden model when it was changed and no record explains it', () => {
    expect(propose([found('signature', 'compromised'), found('behaviour', 'clean')]).remedy).toBe('restore');
    expect(propose([found('training-records', 'compromised', records(0))]).remedy).toBe('restore');
  });

  it('is resuming service only when the signature and the behaviour are both clean', () => {
    expect(propose([found('signature', 'clean'), found('behaviour', 'clean')]).remedy).toBe('resume');
    expect(propose([found('signature', 'clean'), found('behaviour', 'inconclusive')]).remedy).toBe('restore');
    expect(propose([found('signature', 'inconclusive'), found('behaviour', 'clean')]).remedy).toBe('restore');
  });

  it('is not resuming while nobody could look into the file of the model', () => {
    const clean = [found('signature', 'clean'), found('behaviour', 'clean')];
    expect(propose([...clean, found('structure', 'inconclusive')]).remedy).toBe('restore');
    expect(propose([...clean, found('structure', 'suspicious')]).remedy).toBe('restore');
    expect(propose([...clean, found('structure', 'clean')]).remedy).toBe('resume');
  });

  it('is restoring when nothing is known at all, and says why', () => {
    expect(propose([])).toEqual({
      remedy: 'restore',
      reasons: ['the findings are inconclusive, and an inconclusive finding never brings a suspect back'],
    });
  });

  it('never brings a suspect back while anything alarms', () => {
    fc.assert(
      fc.property(findings, (some) => {
        const alarmed = some.some(({ verdict }) => verdict === 'compromised' || verdict === 'suspicious');
        const { remedy, reasons } = propose(some);
        if (alarmed) expect(remedy).not.toBe('resume');
        expect(reasons.length).toBeGreaterThan(0);
      }),
    );
  });

  it('never retrains without records to drop', () => {
    fc.assert(
      fc.property(findings, (some) => {
        if (propose(some).remedy !== 'retrain') return;
        const detail = some.find(({ analyser }) => analyser === 'training-records')?.detail;
        expect(detail).toMatchObject({ analyser: 'training-records' });
        if (detail?.analyser === 'training-records') expect(detail.count).toBeGreaterThan(0);
      }),
    );
  });
});

const circumstances: fc.Arbitrary<Circumstances> = fc.record({
  dataKnown: fc.boolean(),
  triggerKnown: fc.boolean(),
  sameGraph: fc.boolean(),
  cleanRecords: fc.nat(600),
  lostByRestoringPp: fc.option(fc.double({ min: -10, max: 10, noNaN: true })),
  maxAccuracyDropPp: fc.double({ min: 0, max: 3, noNaN: true }),
});

describe('taking the trigger out of the suspect itself', () => {
  const worth: Circumstances = {
    dataKnown: false,
    triggerKnown: true,
    sameGraph: true,
    cleanRecords: LEAST_CLEAN_RECORDS,
    lostByRestoringPp: 1.5,
    maxAccuracyDropPp: 1,
  };
  const backdoored = [found('behaviour', 'compromised'), found('training-records', 'inconclusive')];

  it('is proposed where its data is unknown and restoring would lose more than a repair may', () => {
    expect(propose(backdoored, worth)).toEqual({
      remedy: 'unlearn',
      reasons: [
        'behaviour: compromised it is',
        'the golden model is 1.5 percentage points less accurate than the suspect, and the trigger is known',
      ],
    });
  });

  it.each<[string, Partial<Circumstances>]>([
    ['the golden model is as good', { lostByRestoringPp: 1 }],
    ['nobody knows what would be lost', { lostByRestoringPp: null }],
    ['no trigger is known', { triggerKnown: false }],
    ['the graph is another one', { sameGraph: false }],
    ['too few records may teach', { cleanRecords: LEAST_CLEAN_RECORDS - 1 }],
  ])('is not proposed where %s: the golden model is put back', (_why, about) => {
    expect(propose(backdoored, { ...worth, ...about }).remedy).toBe('restore');
  });

  it('is not proposed for a file whose structure alarms or could not be read', () => {
    for (const verdict of ['compromised', 'suspicious', 'inconclusive'] as const)
      expect(propose([...backdoored, found('structure', verdict)], worth).remedy).toBe('restore');
  });

  it('gives way to dropping the tainted records where they are known', () => {
    const some = [found('behaviour', 'compromised'), found('training-records', 'compromised', records(5))];
    expect(propose(some, { ...worth, dataKnown: true }).remedy).toBe('retrain');
    expect(propose(some, worth).remedy).toBe('unlearn');
  });

  it('needs a backdoor that was found, a trigger, the same graph, records to teach and something to lose, whatever else is true', () => {
    fc.assert(
      fc.property(findings, circumstances, (some, beside) => {
        if (propose(some, beside).remedy !== 'unlearn') return;
        expect(beside).toMatchObject({ triggerKnown: true, sameGraph: true });
        expect(beside.cleanRecords).toBeGreaterThanOrEqual(LEAST_CLEAN_RECORDS);
        expect(beside.lostByRestoringPp ?? 0).toBeGreaterThan(beside.maxAccuracyDropPp);
        expect(
          some.some(
            ({ analyser, verdict }) =>
              (analyser === 'behaviour' || analyser === 'backdoor') && verdict === 'compromised',
          ),
        ).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('never makes a suspect serve again as it is: what lies beside the findings changes no "resume"', () => {
    fc.assert(
      fc.property(findings, circumstances, (some, beside) => {
        expect(propose(some, beside).remedy === 'resume').toBe(propose(some, NOTHING_BESIDE).remedy === 'resume');
      }),
    );
  });
});

describe('the endpoints that descend from tainted data', () => {
  const endpoints = [
    { endpoint: 'gate', newBatches: ['b5', 'b6'] },
    { endpoint: 'zebra', newBatches: ['b6'] },
    { endpoint: 'kiosk', newBatches: ['b6', 'b7'] },
    { endpoint: 'archive', newBatches: ['b5'] },
    { endpoint: 'silent', unknown: 'the endpoint does not tell what it serves' },
  ];

  it('are those whose model saw a batch that is enriched with tainted records, in order of name', () => {
    const some = [
      found('lineage', 'suspicious', lineage(endpoints)),
      found('training-records', 'compromised', records(9, [batch('b6', 8, 1e-9), batch('b5', 1, 0.4)])),
    ];
    expect(descendants(some, 'gate')).toEqual(['kiosk', 'zebra']);
  });

  it('are none where chance explains the marked records, or where none are marked', () => {
    const some = [
      found('lineage', 'suspicious', lineage(endpoints)),
      found('training-records', 'suspicious', records(1, [batch('b6', 1, 0.01), batch('b5', 0, 0)])),
    ];
    expect(descendants(some, 'gate')).toEqual([]);
  });

  it('are also those that serve the very bytes that were seen to misbehave', () => {
    const bytes = digestOf('suspect.onnx');
    const same = lineage([
      { endpoint: 'gate', artifact: bytes },
      { endpoint: 'kiosk', artifact: bytes },
      { endpoint: 'archive', artifact: digestOf('golden.onnx') },
    ]);
    expect(descendants([found('lineage', 'inconclusive', same), found('behaviour', 'compromised')], 'gate')).toEqual([
      'kiosk',
    ]);
    expect(descendants([found('lineage', 'inconclusive', same), found('behaviour', 'clean')], 'gate')).toEqual([]);
  });

  it('are not all the silent ones when the origin does not know what it served', () => {
    const silent = lineage([{ endpoint: 'gate' }, { endpoint: 'kiosk' }]);
    expect(descendants([found('lineage', 'inconclusive', silent), found('behaviour', 'compromised')], 'gate')).toEqual(
      [],
    );
  });

  it('are not guessed where the lineage is not known', () => {
    expect(descendants([found('training-records', 'compromised', records(9, [batch('b6', 8, 0)]))], 'gate')).toEqual(
      [],
    );
  });
});

describe('the waves of analysers', () => {
  it.each(INCIDENT_KINDS)(
    'ask every question once for an alleged %s, the requests and training records last',
    (kind) => {
      const waves = wavesFor(kind);
      expect(waves.flat().toSorted()).toEqual([...ANALYSERS].toSorted());
      expect(waves.at(-1)).toEqual(['requests', 'activations', 'training-records']);
    },
  );
});
