// The platforms that the adapters are tested against, into the user's cache: the Kubernetes API server and its store (built once, minutes on a
// small machine, 150 MB), MLServer and moto from PyPI. Their tests are skipped by name where they are absent. Nobody who uses Lazaret needs them.
//
//   node tools/platforms.mjs
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesEngines } from './setup/engines.mjs';
import { engineCache, Problem } from './setup/place.mjs';
import { command, createReporter } from './setup/progress.mjs';

const SERVERS = ['mlserver==1.7.1', 'moto[server]==5.2.5'];

const report = createReporter({ quiet: false });
try {
  await pythonServers();
  for (const engine of kubernetesEngines()) if (!engine.ready()) await engine.run(report);
  report.ready();
} catch (error) {
  report.failed(error instanceof Problem ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
}

async function pythonServers() {
  const folder = join(engineCache, 'python');
  const there = (name) => existsSync(join(folder, 'bin', name));
  if (there('mlserver') && there('moto_server')) return;
  await report.during('MLServer and moto from PyPI', async (note) => {
    await command('python3', ['-m', 'venv', folder], { note });
    await command(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...SERVERS], { note });
  });
}
