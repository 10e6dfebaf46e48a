import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { code, column, note, table, verdict, type Section } from '../document.ts';
import { at, brief } from '../figures.ts';

/** What the senders said, in their words: claims, not findings. */
export function alerts(file: CaseFile): Section {
  return {
    id: 'alerts',
    title: 'Alerts as they came',
    blocks: [
      table(
        'Alerts',
        [
          column('Received'),
          column('Source'),
          column('Status'),
          column('Claims'),
          column('Title'),
          column('Body'),
          column('Labels'),
        ],
        file.alerts.map((alert) => [
          at(alert.receivedAt),
          alert.source,
          alert.status,
          [alert.kind, ...(alert.claimedSeverity ? [' ', verdict(alert.claimedSeverity)] : [])],
          alert.title,
          code(brief(alert.bodyDigest)),
          Object.entries(alert.labels)
            .map(([name, value]) => `${name}=${value}`)
            .join(', ') || '–',
        ]),
      ),
      note('An alert that says "resolved" is evidence, never closure.'),
    ],
  };
}
