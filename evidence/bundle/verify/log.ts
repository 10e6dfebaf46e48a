import type { LogHead } from '../../../domain/contracts/case-log.ts';
import { merkleRootHex } from '../../../domain/proofs/merkle.ts';
import { verifySignedNote } from '../../../domain/proofs/signed-note.ts';
import { decodeUtf8 } from '../../../domain/proofs/strict-json.ts';
import { headText, originOf } from '../../case-log/checkpoint.ts';
import { verificationKeysFor } from '../../keys/trusted-keys.ts';
import { ABSENCES, FILES, type BundleCase } from '../form.ts';
import { failed, need, passed, type Check } from './check.ts';
import { messageOf, type Log } from './part.ts';

/** The case log: complete, unchanged, signed, and what it speaks of is there. */
export const LOG_CHECKS: readonly Check[] = [
  {
    id: 'log-complete',
    promise: 'The log has every entry from the first on, each in the one form it was recorded in.',
    run({ log, about, files }) {
      const { entries } = need(log);
      const { size } = need(about).head;
      const expected = new Set(entries.map((entry) => FILES.entry(entry.seq)));
      const extra = [...files.keys()].find((path) => path.startsWith('log/') && !expected.has(path));
      return extra === undefined ? passed(`${size} entries`) : failed(extra, 'the file is not an entry of this log');
    },
  },
  {
    id: 'log-root',
    promise: 'No entry was changed, added, dropped or moved since it was recorded.',
    run({ log, about }) {
      const { head } = need(about);
      const root = merkleRootHex(need(log).leaves);
      return root === head.root
        ? passed(`root ${root}`)
        : failed('log', `the entries have the root ${root}, not ${head.root}`);
    },
  },
  {
    id: 'checkpoint-signature',
    promise: 'The station signed this very root when the log was this long.',
    run({ about, machines, files }) {
      const { incident, head } = need(about);
      const name = originOf(incident);
      const keys = verificationKeysFor(need(machines), 'case-log').filter((key) => key.alg === 'EdDSA');
      try {
        const note = decodeUtf8(files.get(FILES.checkpoint) ?? new Uint8Array());
        const { text } = verifySignedNote(
          note,
          keys.map(({ raw }) => ({ name, raw })),
        );
        if (text !== headText(incident, head))
          return failed(FILES.checkpoint, 'the checkpoint is about another log or another state of it');
      } catch (error) {
        return failed(FILES.checkpoint, messageOf(error));
      }
      return passed(`signed as ${name} over ${head.size} entries`);
    },
  },
  {
    id: 'case-agrees',
    promise: 'What the bundle says about the case is what the signature and the log say.',
    run({ about, statement, log }) {
      const said = need(about);
      const signed = need(statement);
      if (signed.incident !== said.incident || !sameHead(signed.head, said.head))
        return failed(FILES.case, 'incident or log head are not the signed ones');
      const closed = outcomeIn(need(log));
      if (closed !== said.outcome)
        return failed(
          FILES.case,
          `the outcome is given as ${said.outcome ?? 'open'}; the log says ${closed ?? 'open'}`,
        );
      return passed(`incident ${said.incident}, outcome: ${said.outcome ?? 'still open'}`);
    },
  },
  {
    id: 'log-objects',
    promise: 'Everything that the log names can be looked at.',
    run({ about, log, files }) {
      const { absent } = need(about);
      for (const entry of need(log).entries) {
        for (const digest of [...entry.inputs, ...entry.outputs]) {
          if (files.has(FILES.object(digest))) continue;
          const declared = absent.find((each) => each.digest === digest);
          if (declared?.reason === 'too-large') continue;
          const why = declared ? ABSENCES[declared.reason] : 'and nothing says why';
          return failed(FILES.entry(entry.seq), `"${entry.step}" names ${digest}, which is not in the bundle: ${why}`);
        }
      }
      return passed(absent.length === 0 ? 'nothing is absent' : `everything but ${spoken(absent)}`);
    },
  },
];

function sameHead(a: LogHead, b: LogHead): boolean {
  return a.size === b.size && a.root === b.root;
}

/** The workflow's last word on the incident, `outcome: <outcome>` in the step `close`. */
function outcomeIn({ entries }: Log): string | null {
  const close = entries.findLast((entry) => entry.phase === 'incident' && entry.step === 'close');
  return close?.summary.replace(/^outcome: /, '') ?? null;
}

function spoken(absent: BundleCase['absent']): string {
  const counts = new Map<string, number>();
  for (const { reason } of absent) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}
