import { digestOf } from '../../../domain/proofs/digest.ts';
import { FILES } from '../form.ts';
import { failed, need, passed, type Check } from './check.ts';

/** The files of the bundle against what the sealing key has signed. */
export const FILE_CHECKS: readonly Check[] = [
  {
    id: 'manifest-signature',
    promise: 'The sealing key vouches for the list of all files, for this incident and this state of its log.',
    run({ statement, files }) {
      const signed = need(statement);
      const manifest = files.get(FILES.manifest);
      if (!manifest) return failed(FILES.manifest, 'the list of files is not there');
      if (digestOf(manifest) !== signed.manifest)
        return failed(FILES.manifest, `the list of files is not the one that was signed (${signed.manifest})`);
      return passed(`signed for ${signed.incident} with ${signed.head.size} log entries`);
    },
  },
  {
    id: 'file-set',
    promise: 'No file was added and none was taken away.',
    run({ manifest, files }) {
      const listed = need(manifest).files.map((file) => file.path);
      if (listed.some((path, index) => index > 0 && path <= (listed[index - 1] ?? '')))
        return failed(FILES.manifest, 'the list of files is not in order');
      const missing = listed.find((path) => !files.has(path));
      if (missing !== undefined) return failed(missing, 'the file is listed and not there');
      const expected = new Set([...listed, FILES.manifest, FILES.signature]);
      const extra = [...files.keys()].find((path) => !expected.has(path));
      return extra === undefined ? passed(`${files.size} files`) : failed(extra, 'the file is there and not listed');
    },
  },
  {
    id: 'file-digests',
    promise: 'Every file is, bit by bit, the one that the station exported.',
    run({ manifest, files }) {
      for (const { path, bytes, digest } of need(manifest).files) {
        const content = files.get(path);
        if (!content) return failed(path, 'the file is not there');
        if (content.length !== bytes)
          return failed(path, `the file has ${content.length} bytes where ${bytes} were listed`);
        const found = digestOf(content);
        if (found !== digest) return failed(path, `the file has the digest ${found}, not ${digest}`);
      }
      return passed('all digests agree');
    },
  },
  {
    id: 'object-names',
    promise:
      'Every piece of evidence is named by its own SHA-256, so whoever names it means these bytes and no others.',
    run({ about, files }) {
      const described = new Map(need(about).objects.map(({ ref }) => [FILES.object(ref.digest), ref]));
      const stored = [...files.keys()].filter((path) => path.startsWith('objects/'));
      for (const path of stored) {
        const content = files.get(path) ?? new Uint8Array();
        const ref = described.get(path);
        if (FILES.object(digestOf(content)) !== path)
          return failed(path, `the object's digest is ${digestOf(content)}`);
        if (!ref) return failed(FILES.case, `${path} is not described`);
        if (ref.bytes !== content.length)
          return failed(FILES.case, `${path} is described with ${ref.bytes} bytes and has ${content.length}`);
      }
      const hollow = [...described.keys()].find((path) => !files.has(path));
      return hollow === undefined
        ? passed(`${stored.length} objects`)
        : failed(FILES.case, `${hollow} is described and not there`);
    },
  },
];
