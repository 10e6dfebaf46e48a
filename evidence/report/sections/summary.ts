import type { CaseFile } from '../../../domain/contracts/activities.ts';
import {
  NOT_MEASURED,
  code,
  strong,
  type Block,
  type Inline,
  type Section,
  type Text,
  type Tone,
} from '../document.ts';
import { classFlowsOf } from '../facts/class-flow.ts';
import { detailOf } from '../facts/details.ts';
import { evidenceRootOf } from '../facts/evidence-root.ts';
import { alertedAt, exposureOf, type Exposure } from '../facts/exposure.ts';
import { outcomeOf } from '../facts/outcome.ts';
import { timelineOf } from '../facts/timeline.ts';
import { at, count, duration, headline, plural } from '../figures.ts';

/** One page for somebody who reads nothing else: what happened, when, what was contained, dropped and released, who approved, and the root. */
export function summary(file: CaseFile): Section {
  return { id: 'summary', title: 'Summary', blocks: [story(file), figures(file), facts(file)] };
}

function story(file: CaseFile): Block {
  const exposure = exposureOf(file, file.endpoint);
  const sentences: Inline[] = [
    'On ',
    strong(at(alertedAt(file)).replace(/\.\d+ UTC$/, ' UTC')),
    ` an alert reported suspected ${file.kind === 'unknown' ? 'misbehaviour' : file.kind} of the model behind endpoint `,
    code(file.endpoint),
    '. ',
    containedSentence(exposure),
    ' ',
    foundSentence(file),
    ' ',
    ...endSentences(file),
  ];
  return { kind: 'paragraph', text: sentences };
}

function containedSentence(exposure: Exposure): string {
  switch (exposure.kind) {
    case 'stopped':
      return `The suspect model was taken off the road ${duration(exposure.ms)} after the station had received the alert.`;
    case 'clocks':
      return 'The suspect model was off the road by the time the station had received the alert, by the clock of the endpoint.';
    case 'left-answering':
      return 'As its containment policy says, the endpoint was captured and frozen but went on answering.';
    case 'unknown':
      return 'The endpoint could not be captured, so how long the suspect model went on answering was not measured.';
  }
}

function foundSentence(file: CaseFile): string {
  if (file.findings.length === 0) return 'No analysis was made.';
  const say = (word: string): number => file.findings.filter((finding) => finding.verdict === word).length;
  const parts = (['compromised', 'suspicious', 'clean', 'inconclusive'] as const)
    .filter((word) => say(word) > 0)
    .map((word) => `${say(word)} ${word}`);
  return `Of ${plural(file.findings.length, 'analysis', 'analyses')}: ${parts.join(', ')}.`;
}

function endSentences(file: CaseFile): Inline[] {
  const sentences: Inline[] = [];
  if (file.sanitized) {
    sentences.push(
      `${plural(file.sanitized.dropped, 'training record')} of ${count(file.sanitized.dropped + file.sanitized.kept)} were dropped. `,
    );
  }
  if (file.training)
    sentences.push(`The model was retrained on the ${count(file.training.result.records)} that remain. `);
  if (file.validation) {
    const { gates } = file.validation;
    const passed = gates.filter((gate) => gate.verdict === 'pass').length;
    sentences.push(`The candidate passed ${passed} of ${plural(gates.length, 'validation gate')}. `);
  }
  if (file.release) {
    sentences.push(
      'Version ',
      code(file.release.ref.version),
      ` answers again on ${file.release.endpoints.join(', ')}.`,
    );
  } else {
    sentences.push(strong('Nothing was released; the endpoint stays in its contained stance.'));
  }
  return sentences;
}

function figures(file: CaseFile): Block {
  const exposure = exposureOf(file, file.endpoint);
  const flows = classFlowsOf(file);
  const times = timelineOf(file);
  const held = file.captures.length;
  const accuracy = file.validation?.gates.find((gate) => /accuracy/i.test(gate.id)) ?? null;
  const cards: { label: string; value: string; note: string; tone: Tone }[] = [
    {
      label: 'Suspect answered after the alert',
      value: exposureWords(exposure),
      note: held > 1 ? `${plural(held, 'endpoint')} contained in all` : `${plural(held, 'endpoint')} contained`,
      tone: exposure.kind === 'stopped' || exposure.kind === 'clocks' ? 'good' : 'caution',
    },
    {
      label: 'Records dropped',
      value: file.sanitized
        ? count(file.sanitized.dropped)
        : file.plan && file.plan.action !== 'retrain'
          ? 'none'
          : NOT_MEASURED,
      note: file.sanitized
        ? `of ${count(file.sanitized.dropped + file.sanitized.kept)}`
        : 'the data set was not changed',
      tone: 'plain',
    },
    {
      label: 'Captured requests diverted',
      value: flows?.divertedBefore
        ? `${headline(flows.divertedBefore)} → ${flows.divertedAfter ? headline(flows.divertedAfter) : NOT_MEASURED}`
        : NOT_MEASURED,
      note: flows?.target ? `to class ${flows.target}, before → after the repair` : 'no diversion was found in them',
      tone: flows?.divertedAfter ? 'good' : 'plain',
    },
    {
      label: accuracy?.title ?? 'Accuracy on the hold-out',
      value: headline(accuracy?.figure ?? null),
      note: accuracy ? `golden model: ${headline(accuracy.golden)}` : 'no candidate was validated',
      tone: accuracy ? (accuracy.verdict === 'pass' ? 'good' : 'alarm') : 'plain',
    },
    {
      label: file.release ? 'From alert to end of release' : 'From alert to last record',
      value: file.entries.length > 0 ? duration(times.totalMs) : NOT_MEASURED,
      note: `${duration(times.peopleMs)} of it waiting for people`,
      tone: 'plain',
    },
  ];
  return { kind: 'figures', figures: cards };
}

export function exposureWords(exposure: Exposure): string {
  switch (exposure.kind) {
    case 'stopped':
      return duration(exposure.ms);
    case 'clocks':
      return 'none by the endpoint’s clock';
    case 'left-answering':
      return 'still answering';
    case 'unknown':
      return NOT_MEASURED;
  }
}

function facts(file: CaseFile): Block {
  const released: Text = file.release
    ? [code(file.release.ref.version), ` to ${file.release.endpoints.join(', ')}`]
    : 'nothing';
  const approvals = file.decisions.filter((decision) => decision.decision === 'approve');
  const batches = (detailOf(file, 'training-records')?.byBatch ?? []).filter((batch) => batch.tainted > 0);
  return {
    kind: 'facts',
    facts: [
      { term: 'What', text: file.title === '' ? 'the alert had no title' : file.title },
      { term: 'Outcome', text: outcomeOf(file).words },
      {
        term: 'Contained',
        text:
          file.captures.length === 0
            ? 'nothing'
            : file.captures
                .map(
                  ({ receipt }) => `${receipt.endpoint} (${receipt.before.stance.kind} → ${receipt.after.stance.kind})`,
                )
                .join(', '),
      },
      {
        term: 'Dropped',
        text: file.sanitized
          ? `${plural(file.sanitized.dropped, 'record')}${batches.length > 0 ? `, marked in ${batches.map((batch) => `batch ${batch.batch} of source ${batch.source} (${count(batch.tainted)})`).join(', ')}` : ''}`
          : 'no record',
      },
      { term: 'Released', text: released },
      {
        term: 'Approved by',
        text:
          approvals.length === 0
            ? 'nobody'
            : approvals.map((one) => `${one.person} as ${one.role} (${one.gate})`).join(', '),
      },
      {
        term: 'Evidence root',
        text: [
          code(evidenceRootOf(file.entries)),
          ` over ${plural(file.entries.length, 'entry', 'entries')} of the case log`,
        ],
      },
    ],
  };
}
