import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { code, column, end, note, paragraph, table, verdict, type Section, type Text } from '../document.ts';
import { exposureOf } from '../facts/exposure.ts';
import { at, brief, count, plural } from '../figures.ts';
import { exposureWords } from './summary.ts';

/** What each endpoint was at the instant before the swap, and what it took instead. */
export function containment(file: CaseFile): Section {
  if (file.captures.length === 0)
    return { id: 'containment', title: 'Containment', blocks: [paragraph('No endpoint was captured.')] };
  const missing = file.captures.filter(({ preserved }) => preserved.model === null).length;
  return {
    id: 'containment',
    title: 'Containment',
    blocks: [
      paragraph(
        'Capture and swap are one call under one lock of the endpoint: the receipt describes what answered at the instant before the stance changed.',
      ),
      table(
        'Endpoints held by this incident',
        [
          column('Endpoint'),
          column('Stance'),
          column('Captured'),
          end('Answered after the alert'),
          column('Model that answered'),
          column('Its signature'),
          end('Requests captured'),
        ],
        file.captures.map(({ receipt }) => {
          const live = receipt.before.loaded.find((model) => model.role === 'live') ?? null;
          const signature: Text =
            live === null
              ? '–'
              : live.signature.status === 'verified'
                ? [verdict('verified'), ` by ${live.signature.keyName}`]
                : [verdict('refused'), ` ${live.signature.reason}`];
          return [
            receipt.endpoint,
            `${receipt.before.stance.kind} → ${receipt.after.stance.kind}`,
            at(receipt.capturedAt),
            exposureWords(exposureOf(file, receipt.endpoint)),
            live ? [live.version, ' ', code(brief(live.digest))] : 'no model',
            signature,
            count(receipt.window.requests),
          ];
        }),
      ),
      table(
        'What was preserved under Object Lock',
        [column('Endpoint'), column('Object'), end('Bytes'), column('Digest')],
        file.captures.flatMap(({ preserved }) =>
          [preserved.receipt, preserved.window, preserved.model, preserved.signature].flatMap((ref) =>
            ref ? [[preserved.endpoint, ref.name, count(ref.bytes), code(brief(ref.digest))]] : [],
          ),
        ),
      ),
      note(
        "The alert's time is the API's clock, the capture's time the endpoint's; the difference holds as far as the two agree.",
        missing > 0 ? ` The bytes of the model were not to be had for ${plural(missing, 'capture')}.` : '',
      ),
    ],
  };
}
