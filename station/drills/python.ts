import { join } from 'node:path';
import { checkout } from '../paths.ts';

/** The trainer's Python, where drills get their sample data from. */
export function python(): { executable: string; path: string } {
  const folder = join(checkout(), 'trainer');
  return { executable: join(folder, '.venv', 'bin', 'python'), path: folder };
}
