import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiRefused, ApiUnreachable, createLazaretApi, type LazaretApi } from '../clients/lazaret-api/client.ts';
import { stationPaths } from '../station/paths.ts';
import { runningRecord } from '../station/record.ts';
import { CommandError, EXIT } from './exit.ts';

export interface PersonOptions {
  readonly as: string;
  readonly api?: string;
  readonly tokenFile?: string;
}

/** The API as the person who sits here. Where the address or the token come from is said in the option's help. */
export function apiAs(options: PersonOptions): LazaretApi {
  const paths = stationPaths();
  const url = options.api ?? process.env['LAZARET_API_URL'] ?? runningRecord(paths.record)?.urls.api;
  if (!url)
    throw new CommandError(
      EXIT.unreachable,
      `no station runs in ${paths.home}: start one with "npm start", or name its API with --api`,
    );
  const file = options.tokenFile ?? process.env['LAZARET_TOKEN_FILE'] ?? join(paths.people, options.as, 'token');
  if (!existsSync(file))
    throw new CommandError(EXIT.usage, `no API token of "${options.as}" at ${file}: name the file with --token-file`);
  return translated(createLazaretApi({ url, token: readFileSync(file, 'utf8').trim() }));
}

/** What the API refuses becomes the command's own failure, with the status that scripts go by. */
function translated(api: LazaretApi): LazaretApi {
  const told = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof ApiUnreachable) throw new CommandError(EXIT.unreachable, error.message, { cause: error });
      if (error instanceof ApiRefused)
        throw new CommandError(EXIT.failed, error.message, {
          cause: error,
          ...(error.code ? { code: error.code } : {}),
        });
      throw error;
    }
  };
  return {
    incidents: (filter) => told(api.incidents(filter)),
    state: (incident) => told(api.state(incident)),
    entries: (incident, from) => told(api.entries(incident, from)),
    decide: (incident, statement) => told(api.decide(incident, statement)),
  };
}
