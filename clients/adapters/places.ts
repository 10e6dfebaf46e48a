import type { ModelRef } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';

/** Where a platform has a model, by the digest of the model's bytes, as lazaret.yaml says: the platform itself cannot tell which bytes those are. */
export type Places = Readonly<Record<string, string>>;

/** Fails with `endpoint/refused` where lazaret.yaml names none. */
export function placeOf(places: Places, { version, artifact }: ModelRef): string {
  const place = places[artifact.digest];
  if (place !== undefined) return place;
  throw new Failure(
    'endpoint/refused',
    `lazaret.yaml names no place for the model ${version} (${artifact.digest}); it names ${Object.values(places).join(', ') || 'none'}`,
  );
}
