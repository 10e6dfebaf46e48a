import type { Drill } from '../drill.ts';
import { ledger } from './ledger/index.ts';
import { sticker } from './sticker/index.ts';

/** Every drill by its name. */
export const DRILLS: Readonly<Record<string, Drill>> = { sticker, ledger };
