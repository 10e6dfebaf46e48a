import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { code, column, end, note, paragraph, table, type Section } from '../document.ts';
import { evidenceRootOf } from '../facts/evidence-root.ts';
import { count, plural } from '../figures.ts';

/** Where the proof is, and how anybody checks it without trusting the station. */
export function evidence(file: CaseFile): Section {
  return {
    id: 'evidence',
    title: 'Evidence and provenance',
    blocks: [
      paragraph(
        'Root of the case log (RFC 6962) over ',
        plural(file.entries.length, 'entry', 'entries'),
        ' known when this report was written: ',
        code(evidenceRootOf(file.entries)),
        '.',
      ),
      paragraph(
        'To check everything offline, with no access to the station: export the bundle of incident ',
        code(file.incident),
        ' and run ',
        code('lazaret verify <bundle>'),
        '. It derives the root anew from the entries, checks the signatures of the checkpoints, of the decisions and of the models, and the digest of every object.',
      ),
      table(
        'Objects this report speaks of',
        [column('Object'), column('Store'), end('Bytes'), column('Digest')],
        objectsOf(file).map((ref) => [ref.name, ref.store, count(ref.bytes), code(ref.digest)]),
      ),
      note(
        `Writing this report is itself recorded, so the incident’s last signed checkpoint covers more entries than the root above. The log only grows: the first ${plural(file.entries.length, 'entry', 'entries')} of the log in the bundle give this root.`,
      ),
    ],
  };
}

function objectsOf(file: CaseFile): readonly ObjectRef[] {
  const all: (ObjectRef | null | undefined)[] = [
    ...file.captures.flatMap(({ preserved }) => [
      preserved.receipt,
      preserved.window,
      preserved.model,
      preserved.signature,
    ]),
    ...file.findings.flatMap(({ detail }) =>
      detail?.analyser === 'behaviour'
        ? [detail.attack?.requests]
        : detail?.analyser === 'training-records'
          ? [detail.list]
          : [],
    ),
    file.sanitized?.dataset.manifest,
    file.sanitized?.dataset.signature,
    file.sanitized?.diff,
    file.training?.result.artifact,
    file.training?.result.curve,
    file.training?.provenance,
    file.release?.ref.artifact,
    file.release?.ref.signature,
  ];
  const seen = new Map<string, ObjectRef>();
  for (const ref of all) if (ref && !seen.has(ref.digest)) seen.set(ref.digest, ref);
  return [...seen.values()];
}
