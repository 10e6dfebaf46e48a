import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { code, column, end, paragraph, table, type Section } from '../document.ts';
import { detailOf } from '../facts/details.ts';
import { at, brief, count } from '../figures.ts';

/** The blast radius: what the suspect learned from that the golden model did not, and who else descends from it. */
export function lineage(file: CaseFile): Section {
  const detail = detailOf(file, 'lineage');
  const title = 'Lineage and blast radius';
  if (!detail) return { id: 'lineage', title, blocks: [paragraph('Not measured: the lineage was not traced.')] };
  const held = new Set(file.captures.map(({ receipt }) => receipt.endpoint));
  return {
    id: 'lineage',
    title,
    blocks: [
      paragraph(
        'The suspect was trained on data set version ',
        detail.suspectDataset ? code(brief(detail.suspectDataset)) : 'unknown (no provenance is on record)',
        ', the golden model on ',
        code(brief(detail.goldenDataset)),
        '.',
      ),
      table(
        'Batches behind the suspect that the golden model never saw',
        [column('Batch'), column('Source'), column('Ingested'), end('Records')],
        detail.newBatches.length === 0
          ? [['none', '–', '–', '–']]
          : detail.newBatches.map((batch) => [batch.batch, batch.source, at(batch.ingestedAt), count(batch.records)]),
      ),
      table(
        'Endpoints and what stands behind them',
        [column('Endpoint'), column('Artifact'), column('New batches behind it'), column('Held by this incident')],
        detail.endpoints.map((endpoint) => [
          endpoint.endpoint,
          endpoint.artifact ? code(brief(endpoint.artifact)) : 'unknown',
          endpoint.unknown ?? (endpoint.newBatches.join(', ') || 'none'),
          held.has(endpoint.endpoint) ? 'yes' : 'no',
        ]),
      ),
    ],
  };
}
