/**
 * Writes what other programs read of the built code: `docs/lazaret.schema.json` (editors) and `docs/openapi.json` (clients of the API).
 * Tests hold both against the code. Run after `npm run build`: `node tools/export-schemas.mjs`.
 */
import { writeFileSync } from 'node:fs';
import { createApi } from '../dist/api/app.js';
import { openApiText } from '../dist/api/openapi.js';
import { configurationJsonSchemaText } from '../dist/clients/configuration/json-schema.js';

// Nothing is asked of these: the description comes from the routes alone.
const app = await createApi({ log: { level: 'silent' }, clock: () => new Date(), consoleFolder: 'console' });
const answer = await app.inject({ url: '/openapi.json' });
writeFileSync('docs/openapi.json', openApiText(answer.json()));
writeFileSync('docs/lazaret.schema.json', configurationJsonSchemaText());
await app.close();
