import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, paragraph, table, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { percent } from '../figures.ts';
import { bothWidths } from '../pictures/canvas.ts';
import { triggerPicture } from '../pictures/trigger.ts';

/** What the search for a trigger came to, and the trigger itself. */
export function backdoor(file: CaseFile): Section {
  const finding = findingOf(file, 'backdoor');
  const detail = detailOf(file, 'backdoor');
  const title = 'Search for a backdoor';
  if (!finding || !detail)
    return {
      id: 'backdoor',
      title,
      blocks: [paragraph(`Not measured: ${finding?.summary ?? 'nobody searched the model for a trigger.'}`)],
    };
  const { target, success, preview } = detail;
  const named = target === null ? 'no class' : (detail.classes[target] ?? `class ${target}`);
  return {
    id: 'backdoor',
    title,
    blocks: [
      paragraph(finding.summary),
      ...(preview === null
        ? []
        : [
            {
              kind: 'picture' as const,
              caption: `The recovered trigger: an estimate of what an attacker may use, not their own.`,
              pictures: bothWidths((width) => triggerPicture(preview, named, width)),
            },
          ]),
      table(
        'The search in figures',
        [column('Figure'), column('Value')],
        [
          ['Methods', detail.methods.join(', ')],
          ['Target', named],
          [
            'Success on unseen probes',
            success === null
              ? 'nothing was recovered'
              : `${percent(success.value)} [${percent(success.low)}, ${percent(success.high)}], n = ${success.n}`,
          ],
          ['p-value', detail.pValue === null ? 'none' : detail.pValue.toPrecision(2)],
          ['False-alarm budget', percent(detail.falseAlarmBudget)],
        ],
      ),
    ],
  };
}
