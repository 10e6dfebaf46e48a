import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { demandRecord, recordBytes, recordRoot, type DataRecord } from '../../../evidence/dataset/record.ts';
import { openShardReader } from '../../../evidence/dataset/shard-reader.ts';
import { encodeShard } from '../../../evidence/dataset/shard.ts';

const reader = openShardReader();
afterAll(() => reader.close());
const decodeShard = (bytes: Uint8Array, maxRecords = 1_000) => reader.read(bytes, maxRecords);

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const records = (width: number) =>
  fc.array(
    fc.record({
      id: text,
      features: fc.float32Array({ minLength: width, maxLength: width, noNaN: true, noDefaultInfinity: true }),
      label: fc.integer({ min: 0, max: 2_147_483_647 }),
      source: text,
      batch: text,
      ingestedAt: fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }),
    }),
    { maxLength: 40 },
  );

const record: DataRecord = {
  id: 'a',
  features: Float32Array.of(1, -0),
  label: 3,
  source: 'lab',
  batch: 'b1',
  ingestedAt: 1_700_000_000_123,
};

describe('a shard', () => {
  it('gives every record back as it was, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }).chain(records), async (given) => {
        const columns = await decodeShard(encodeShard(given));
        const read = columns.ids.map((id, row) => ({
          id,
          features: columns.features.slice(row * columns.width, (row + 1) * columns.width),
          label: columns.labels[row],
          source: columns.sources[row],
          batch: columns.batches[row],
          ingestedAt: columns.ingestedAt[row],
        }));
        expect(columns.count).toBe(given.length);
        expect(recordRoot(read as DataRecord[])).toBe(recordRoot(given));
      }),
      { numRuns: 100 },
    );
  });

  it('has the same bytes for the same records', () => {
    expect(Buffer.compare(encodeShard([record]), encodeShard([{ ...record }]))).toBe(0);
  });

  it('is read from a Buffer in the middle of its pool', async () => {
    const shard = encodeShard([record]);
    expect((await decodeShard(Buffer.from(shard))).ids).toEqual(['a']);
  });

  it('is refused when it is cut off anywhere', async () => {
    const shard = encodeShard([record, { ...record, id: 'b' }]);
    for (let length = 0; length < shard.length; length += 7) {
      await expect(decodeShard(shard.subarray(0, length))).rejects.toMatchObject({ code: 'dataset/invalid' });
    }
  });

  it('never takes the process down, whatever its bytes', async () => {
    const shard = encodeShard([record, { ...record, id: 'b' }]);
    const impatient = openShardReader({ timeoutMs: 1_000 });
    await fc.assert(
      fc.asyncProperty(fc.nat(shard.length - 1), fc.nat(255), async (at, value) => {
        const broken = Uint8Array.from(shard);
        broken[at] = value;
        const refused = (error: unknown) => expect(error).toMatchObject({ code: 'dataset/invalid' });
        await impatient.read(broken, 1_000).catch(refused);
      }),
      { numRuns: 150 },
    );
    impatient.close();
  });

  it('is stopped when a page claims two thousand million values, and the reader goes on', async () => {
    const shard = encodeShard([record, { ...record, id: 'b' }]);
    const impatient = openShardReader({ timeoutMs: 1_500 });
    const broken = Uint8Array.from(shard);
    // The type of a field in the first page's header: with this one, what follows is read as a huge count.
    broken[39] = 0x37;
    await expect(impatient.read(broken, 1_000)).rejects.toMatchObject({
      code: 'dataset/invalid',
      message: expect.stringMatching(/within 1500 ms|stopped its reader/),
    });
    await expect(impatient.read(shard, 2)).resolves.toMatchObject({ count: 2 });
    impatient.close();
  });

  it('is refused without one of its columns, with one too many, or with one of another type', async () => {
    const columns = (change: (all: ColumnSource[]) => ColumnSource[]) =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData: change([
            { name: 'id', data: ['a'], type: 'STRING' },
            { name: 'label', data: [1], type: 'INT32' },
            { name: 'source', data: ['s'], type: 'STRING' },
            { name: 'batch', data: ['b'], type: 'STRING' },
            { name: 'ingested_at', data: [new Date()], type: 'TIMESTAMP' },
          ]),
        }),
      );
    await expect(decodeShard(columns((all) => all))).rejects.toThrow(/no column features of lists of 32-bit floats/);
    await expect(decodeShard(columns((all) => all.slice(1)))).rejects.toThrow(/no column id of strings/);
    await expect(
      decodeShard(
        columns((all) => [
          ...all.filter((column) => column.name !== 'label'),
          { name: 'label', data: [1n], type: 'INT64' },
        ]),
      ),
    ).rejects.toThrow(/no column label of 32-bit integers/);
  });

  it('is refused when it claims more records than were expected', async () => {
    await expect(decodeShard(encodeShard([record, { ...record, id: 'b' }]), 1)).rejects.toThrow(
      /says it has 2 records/,
    );
  });

  it('is refused when its records differ in width', async () => {
    const shard = encodeShard([record, { ...record, id: 'b', features: Float32Array.of(1) }]);
    await expect(decodeShard(shard)).rejects.toThrow(/Row 1 has 1 features where 2 were expected/);
  });
});

describe('a record', () => {
  it('has the canonical bytes that its table of fields says', () => {
    expect(Buffer.from(recordBytes(record)).toString('hex')).toBe(
      [
        '01000000' + '61',
        '03000000' + '6c6162',
        '02000000' + '6231',
        '03000000',
        '7b68e5cf8b010000',
        '02000000',
        '0000803f',
        '00000080',
      ].join(''),
    );
  });

  it('cannot move a letter from one field to the next and keep its bytes', () => {
    const moved = { ...record, id: 'al', source: 'ab' };
    expect(Buffer.from(recordBytes(moved))).not.toEqual(
      Buffer.from(recordBytes({ ...record, id: 'a', source: 'lab' })),
    );
  });

  it.each([
    ['features that are not finite', { features: Float32Array.of(1, Number.NaN) }],
    ['another width', { features: Float32Array.of(1) }],
    ['a label beyond the classes', { label: 10 }],
    ['a negative label', { label: -1 }],
    ['a label between two classes', { label: 0.5 }],
    ['an empty id', { id: '' }],
    ['an id that has no UTF-8 form', { id: '\ud800' }],
    ['no ingestion time', { ingestedAt: Number.NaN }],
  ])('is refused with %s', (_what, change) => {
    expect(() => demandRecord({ ...record, ...change }, 2, 10)).toThrow(
      expect.objectContaining({ code: 'dataset/invalid' }),
    );
  });
});
