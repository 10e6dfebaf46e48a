/** The bundle's own words to whoever opens it years later, with nothing of the station at hand. */
export function readmeOf(incident: string): string {
  return `Lazaret evidence bundle of the incident ${incident}

This archive holds the whole case: every entry of its log, every object the log
names, the people's signed decisions, the released model with its signature and
provenance, and the public keys.

To check it, without network and without the station:

    npm run lazaret -- verify ${incident}.lazaret.tar --trust trust.json

Take trust.json from the organisation itself, not from this archive. Without
--trust the keys inside are used, and the result only means something once you
have compared their fingerprints with the organisation's.

How the parts hold each other:

    manifest.jws    signed by the sealing key, over the digest of manifest.json
    manifest.json   SHA-256 of every other file
    checkpoint.txt  C2SP signed note over the Merkle root (RFC 6962) of log/
    log/            canonical JSON (RFC 8785); names objects by their SHA-256
    objects/        the evidence; each file's name is its own SHA-256
    case.json       what each object is, and what is absent, with the reason
    keys.json       public keys of machines and people

By hand: sha256sum objects/* has to print each file's own name.
`;
}
