import {
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
  type SchemaElement,
} from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { DataRecord } from './record.ts';

/** A shard's columns, with what only its Merkle root needs. `ingestedAt` is milliseconds since the epoch. */
export interface ShardColumns extends DatasetColumns {
  readonly ingestedAt: readonly number[];
}

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'REQUIRED',
});

/** Three-level list and REQUIRED throughout, as pyarrow and DuckDB write and read it; a null can then not even be written. */
const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: 6 },
  text('id'),
  { name: 'features', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
  text('source'),
  text('batch'),
  {
    name: 'ingested_at',
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    repetition_type: 'REQUIRED',
  },
];

/** One Parquet file. The same records give the same bytes, so a shard that did not change keeps its digest. */
export function encodeShard(records: readonly DataRecord[]): Uint8Array {
  const buffer = parquetWriteBuffer({
    schema: SCHEMA,
    columnData: [
      { name: 'id', data: records.map((record) => record.id) },
      // PLAIN: a dictionary would take -0 for 0, and the record's digest tells them apart.
      { name: 'features', data: records.map((record) => Array.from(record.features)), encoding: 'PLAIN' },
      { name: 'label', data: Int32Array.from(records, (record) => record.label) },
      { name: 'source', data: records.map((record) => record.source) },
      { name: 'batch', data: records.map((record) => record.batch) },
      { name: 'ingested_at', data: BigInt64Array.from(records, (record) => BigInt(record.ingestedAt)) },
    ],
    // Bounds of minimum and maximum would repeat record contents in the footer for no reader of ours.
    statistics: false,
  });
  return new Uint8Array(buffer);
}

/**
 * Reads a shard in this thread. Throws `dataset/invalid` on anything but the six columns with one width of features and no nulls. It checks
 * the form only: whether these are the records that the manifest speaks of is `readDataset`'s question.
 *
 * A few hostile bytes can make it run for minutes or fill the memory: a page header or a run length may claim two thousand million values.
 * So only the reader's worker calls it (`openShardReader`), which has a time and a memory limit.
 */
export async function parseShard(bytes: Uint8Array, maxRecords: number): Promise<ShardColumns> {
  try {
    return await parse(bytes, maxRecords);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : 'an unknown error';
    throw new Failure('dataset/invalid', `The shard is not a readable Parquet file: ${reason}`, { cause: error });
  }
}

async function parse(bytes: Uint8Array, maxRecords: number): Promise<ShardColumns> {
  // Not bytes.slice(): a Buffer would share its pool, and the file would seem to start in foreign memory.
  const copy = new Uint8Array(bytes).buffer;
  const file: AsyncBuffer = { byteLength: copy.byteLength, slice: (start, end) => copy.slice(start, end) };
  const metadata = await parquetMetadataAsync(file);
  demandColumns(metadata);
  const count = Number(metadata.num_rows);
  if (count > maxRecords)
    throw new Failure(
      'dataset/invalid',
      `The shard says it has ${count} records where at most ${maxRecords} were expected.`,
    );

  const columns = new Map<string, unknown[]>();
  await parquetRead({
    file,
    metadata,
    parsers: { timestampFromMilliseconds: (milliseconds) => Number(milliseconds) },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = columns.get(columnName) ?? [];
      columns.set(columnName, column);
      for (let row = 0; row < columnData.length; row += 1) column[rowStart + row] = columnData[row];
    },
  });

  const read = <T>(name: string, is: (value: unknown) => value is T): T[] => {
    const values = columns.get(name) ?? [];
    if (values.length !== count)
      throw new Failure(
        'dataset/invalid',
        `The column ${name} has ${values.length} values where ${count} were expected.`,
      );
    return Array.from(values, (value, row) => {
      if (!is(value)) throw new Failure('dataset/invalid', `The column ${name} has no usable value in row ${row}.`);
      return value;
    });
  };
  const isText = (value: unknown): value is string => typeof value === 'string';
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);
  const isRow = (value: unknown): value is ArrayLike<number> =>
    Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;

  const rows = read('features', isRow);
  const width = rows[0]?.length ?? 0;
  return {
    count,
    width,
    ids: read('id', isText),
    features: flatten(rows, width),
    labels: Int32Array.from(read('label', isNumber)),
    sources: read('source', isText),
    batches: read('batch', isText),
    ingestedAt: read('ingested_at', isNumber),
  };
}

function flatten(rows: readonly ArrayLike<number>[], width: number): Float32Array {
  const flat = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    if (row.length !== width) {
      throw new Failure('dataset/invalid', `Row ${index} has ${row.length} features where ${width} were expected.`);
    }
    flat.set(row, index * width);
  });
  return flat;
}

/** Physical and converted type of each plain column. */
const COLUMNS: Readonly<Record<string, { type: string; converted: readonly (string | undefined)[]; words: string }>> = {
  id: { type: 'BYTE_ARRAY', converted: ['UTF8'], words: 'strings' },
  label: { type: 'INT32', converted: [undefined, 'INT_32'], words: '32-bit integers' },
  source: { type: 'BYTE_ARRAY', converted: ['UTF8'], words: 'strings' },
  batch: { type: 'BYTE_ARRAY', converted: ['UTF8'], words: 'strings' },
  ingested_at: { type: 'INT64', converted: ['TIMESTAMP_MILLIS'], words: 'timestamps in milliseconds' },
};

/** Names, physical types and nesting have to be ours; whether a column is declared REQUIRED is up to the writer, nulls are refused later. */
function demandColumns(metadata: FileMetaData): void {
  const { children } = parquetSchema(metadata);
  const refuse = (name: string, words: string): never => {
    throw new Failure('dataset/invalid', `The shard has no column ${name} of ${words}.`);
  };
  for (const [name, { type, converted, words }] of Object.entries(COLUMNS)) {
    const element = children.find((child) => child.element.name === name)?.element;
    if (element?.type !== type || !converted.includes(element.converted_type)) refuse(name, words);
  }
  const list = children.find((child) => child.element.name === 'features');
  const repeated = list?.children[0];
  const isList = list?.element.converted_type === 'LIST' && repeated?.element.repetition_type === 'REPEATED';
  if (!isList || repeated.children[0]?.element.type !== 'FLOAT') refuse('features', 'lists of 32-bit floats');
  const [stranger] = children.filter((child) => child.element.name !== 'features' && !(child.element.name in COLUMNS));
  if (stranger)
    throw new Failure('dataset/invalid', `The shard has a column that is not known: ${stranger.element.name}.`);
}
