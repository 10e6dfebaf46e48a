import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Probe } from '../inference/probe.ts';
import type { Json, Platform } from '../adapters/platform.ts';
import type { Kind, KubernetesApi, Resource } from './api.ts';
import { evidenceOf, lookAt, withRecord } from './resource-platform.ts';

const DEPLOYMENTS: Kind = { group: 'apps', version: 'v1', plural: 'deployments' };
const POLICIES: Kind = { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' };
const PODS: Kind = { group: '', version: 'v1', plural: 'pods' };
const MANAGED = { 'app.kubernetes.io/managed-by': 'lazaret' } as const;

/** `fenced`: our NetworkPolicy is there. */
type WorkloadState = { replicas: number; fenced: boolean };

const specSchema = z.looseObject({
  replicas: z.number().int().nonnegative().default(1),
  selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }),
});

/**
 * A Deployment: isolated by a NetworkPolicy that lets nothing in and by zero replicas. Policies add up, so where another one lets traffic in, the
 * fence alone holds nobody back; no replicas does. The fence keeps clients from the pods that take their time to end.
 */
export function createWorkloadPlatform(
  options: { readonly namespace: string; readonly deployment: string; readonly model: string },
  deps: { readonly api: KubernetesApi; readonly probe: Probe },
): Platform<WorkloadState> {
  const { namespace, deployment } = options;
  const { api } = deps;
  const fenceName = `lazaret-${deployment}`;

  async function deploymentNow(): Promise<Resource> {
    const resource = await api.get(DEPLOYMENTS, namespace, deployment);
    if (resource) return resource;
    throw new Failure('endpoint/refused', `there is no Deployment ${namespace}/${deployment}`);
  }

  async function fenceNow(): Promise<Resource | null> {
    const fence = await api.get(POLICIES, namespace, fenceName);
    if (!fence || fence.metadata.labels?.['app.kubernetes.io/managed-by'] === 'lazaret') return fence;
    throw new Failure('endpoint/refused', `the NetworkPolicy ${namespace}/${fenceName} is not Lazaret's`);
  }

  const specOf = (resource: Resource) => {
    const parsed = specSchema.safeParse(resource.spec);
    if (parsed.success && Object.keys(parsed.data.selector.matchLabels).length > 0) return parsed.data;
    throw new Failure('endpoint/refused', `the Deployment ${deployment} selects its pods by no label`);
  };

  async function bringFence(wanted: boolean, resource: Resource): Promise<void> {
    const fence = await fenceNow();
    if (wanted && !fence) {
      const { matchLabels } = specOf(resource).selector;
      await api.create(POLICIES, namespace, {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: fenceName, namespace, labels: MANAGED },
        spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'], ingress: [] },
      });
    }
    if (!wanted && fence) await api.remove(POLICIES, fence);
  }

  return {
    name: 'kubernetes',
    captures: ['replicas', 'the whole Deployment', 'its pods with the digests of their images'],
    stances: ['isolated'],
    look: async () => {
      const [resource, fence] = await Promise.all([deploymentNow(), fenceNow()]);
      const { replicas, selector } = specOf(resource);
      const labels = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
      const pods = await api.list(PODS, namespace, labels.join(','));
      const look = lookAt(resource, {
        select: (): WorkloadState => ({ replicas, fenced: fence !== null }),
        words: (state) => `${state.replicas} replicas${state.fenced ? ', fenced' : ''}`,
      });
      return { ...look, captured: { deployment: evidenceOf(resource), pods: pods.map(evidenceOf) } };
    },
    towards: (stance: Stance) => {
      if (stance.kind === 'isolated') return { replicas: 0, fenced: true };
      throw new Failure('endpoint/refused', `a Deployment has no stance "${stance.kind}"`);
    },
    change: async (look, next, record) => {
      const resource = await deploymentNow();
      if (resource.metadata.resourceVersion !== look.mark) return 'conflict';
      const spec = { ...(resource.spec as object), replicas: next.replicas } as Json;
      const outcome = await api.replace(DEPLOYMENTS, withRecord({ ...resource, spec }, record));
      // After the record: a fence that no record knows would look like somebody's own. A repeated order completes what is missing here.
      if (outcome === 'done') await bringFence(next.fenced, resource);
      return outcome;
    },
    probe: () => deps.probe(options.model),
  };
}
