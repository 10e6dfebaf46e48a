import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { createJsonCall, type JsonCall } from '../../../clients/adapters/json-call.ts';
import { enginePath, freePort } from '../../engines.ts';

/** CRDs of Istio and KServe; they are not part of this repository: below LAZARET_DATA, or beside the checkout. */
const CRDS = [
  ...(process.env['LAZARET_DATA'] ? [join(process.env['LAZARET_DATA'], 'kubernetes-crds')] : []),
  fileURLToPath(new URL('../../../../shared/data/kubernetes-crds', import.meta.url)),
];
const TOKENS = { admin: 'token-admin', worker: 'token-worker', stranger: 'token-stranger' } as const;

export interface KubernetesEngine {
  readonly server: string;
  readonly caFile: string;
  /** A file with the token of: the administrator, the worker's service account with the rights of deploy/adapters/rbac.yaml, nobody. */
  readonly tokenFiles: Readonly<Record<keyof typeof TOKENS, string>>;
  /** As the administrator. */
  readonly call: JsonCall;
  stop(): Promise<void>;
}

/** What is missing to run it; null where nothing is. */
export function kubernetesMissing(): string | null {
  if (!enginePath('etcd') || !enginePath('kube-apiserver')) return 'no kube-apiserver: node tools/platforms.mjs';
  return crdFolder() ? null : 'no CRDs of Istio and KServe';
}

function crdFolder(): string | null {
  return CRDS.find((folder) => existsSync(folder)) ?? null;
}

/** A real API server on a real etcd, RBAC on, with the CRDs. No controllers run: tests play their part. */
export async function startKubernetes(): Promise<KubernetesEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-kubernetes-'));
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const children: ChildProcess[] = [];
  const run = (name: 'etcd' | 'kube-apiserver', args: readonly string[]) => {
    children.push(spawn(enginePath(name) ?? name, args, { stdio: 'ignore' }));
  };
  run('etcd', [
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...[
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      `default=${peerUrl}`,
    ],
  ]);
  const users = [
    `${TOKENS.admin},admin,1,"system:masters"`,
    `${TOKENS.worker},system:serviceaccount:lazaret:lazaret-response,2`,
    `${TOKENS.stranger},stranger,3`,
  ];
  writeFileSync(join(folder, 'tokens.csv'), `${users.join('\n')}\n`);
  execFileSync('openssl', ['genrsa', '-out', join(folder, 'sa.key'), '2048'], { stdio: 'ignore' });
  run('kube-apiserver', [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${folder}`,
    `--service-account-key-file=${join(folder, 'sa.key')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    '--service-account-issuer=https://lazaret.test',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const caFile = join(folder, 'apiserver.crt');
  const tokenFile = (name: keyof typeof TOKENS): string => {
    const file = join(folder, `${name}.token`);
    writeFileSync(file, `${TOKENS[name]}\n`);
    return file;
  };
  const stop = async (): Promise<void> => {
    const gone = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of children.toReversed()) child.kill('SIGKILL');
    await Promise.all(gone);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const server = `https://127.0.0.1:${port}`;
    await until(() => Promise.resolve(existsSync(caFile)), 'its certificate');
    const call = createJsonCall({
      whom: 'the Kubernetes API',
      base: server,
      caFile,
      timeoutMs: 10_000,
      headers: () => Promise.resolve({ authorization: `Bearer ${TOKENS.admin}` }),
    });
    await until(async () => (await call('GET', 'readyz')).status === 200, 'ready');
    for (const file of ['networking.istio.io_virtualservices_destinationrules', 'serving.kserve.io_inferenceservices'])
      await createAll(call, readFileSync(join(crdFolder() ?? '', `${file}.yaml`), 'utf8'));
    const made = { metadata: { name: 'models' }, apiVersion: 'v1', kind: 'Namespace' };
    await call('POST', 'api/v1/namespaces', made);
    await createAll(call, readFileSync(new URL('../../../deploy/adapters/rbac.yaml', import.meta.url), 'utf8'));
    for (const path of ['networking.istio.io/v1/virtualservices', 'serving.kserve.io/v1beta1/inferenceservices'])
      await until(async () => (await call('GET', `apis/${path}`)).status === 200, path);
    const tokenFiles = { admin: tokenFile('admin'), worker: tokenFile('worker'), stranger: tokenFile('stranger') };
    return { server, caFile, tokenFiles, call, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: 'customresourcedefinitions',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

/** What `kubectl create -f` does with the kinds that are needed here. */
async function createAll(call: JsonCall, yaml: string): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const resource = document.toJS() as { apiVersion: string; kind: string; metadata: { namespace?: string } } | null;
    if (!resource) continue;
    const { namespace } = resource.metadata;
    const place = namespace ? `namespaces/${namespace}/` : '';
    const answer = await call('POST', `apis/${resource.apiVersion}/${place}${PLURALS[resource.kind] ?? ''}`, resource);
    if (answer.status !== 201) throw new Error(`${resource.kind} was not created: ${answer.text.slice(0, 500)}`);
  }
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the API server has not come up within 30 s: ${what}`);
}
