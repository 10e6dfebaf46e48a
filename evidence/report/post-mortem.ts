import type { CaseFile } from '../../domain/contracts/activities.ts';
import type { Report } from './document.ts';
import { outcomeOf } from './facts/outcome.ts';
import { at } from './figures.ts';
import { alertedAt } from './facts/exposure.ts';
import { activations } from './sections/activations.ts';
import { alerts } from './sections/alerts.ts';
import { backdoor } from './sections/backdoor.ts';
import { approvals } from './sections/approvals.ts';
import { caseLog } from './sections/case-log.ts';
import { classFlow } from './sections/class-flow.ts';
import { containment } from './sections/containment.ts';
import { duplicates } from './sections/duplicates.ts';
import { evidence } from './sections/evidence.ts';
import { extraction } from './sections/extraction.ts';
import { findings } from './sections/findings.ts';
import { lineage } from './sections/lineage.ts';
import { poison } from './sections/poison.ts';
import { records } from './sections/records.ts';
import { release } from './sections/release.ts';
import { remedy } from './sections/remedy.ts';
import { requests } from './sections/requests.ts';
import { summary } from './sections/summary.ts';
import { timeline } from './sections/timeline.ts';
import { validation } from './sections/validation.ts';
import { weights } from './sections/weights.ts';

/** The sections in the order a reader needs them. */
const SECTIONS = [
  summary,
  timeline,
  containment,
  findings,
  classFlow,
  weights,
  backdoor,
  requests,
  activations,
  extraction,
  lineage,
  records,
  poison,
  duplicates,
  remedy,
  validation,
  approvals,
  release,
  evidence,
  alerts,
  caseLog,
] as const;

/** The post-mortem of an incident as data. Pure: the same case file gives the same report, byte for byte. */
export function postMortemOf(file: CaseFile): Report {
  const outcome = outcomeOf(file);
  const kind = file.kind === 'unknown' ? 'Incident' : `${file.kind.charAt(0).toUpperCase()}${file.kind.slice(1)}`;
  return {
    overline: 'Post-mortem',
    title: `${kind} on ${file.endpoint}: ${outcome.words}`,
    subtitle: `Incident ${file.incident}, alert received ${at(alertedAt(file))}`,
    badges: [
      { text: outcome.badge, tone: outcome.tone },
      { text: file.kind, tone: 'plain' },
      {
        text: `severity ${file.severity}`,
        tone: file.severity === 'critical' || file.severity === 'high' ? 'alarm' : 'plain',
      },
    ],
    sections: SECTIONS.map((section) => section(file)),
  };
}
