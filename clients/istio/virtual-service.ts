import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOfJson } from '../../domain/proofs/canonical-json.ts';
import { placeOf, type Places } from '../adapters/places.ts';
import type { Json } from '../adapters/platform.ts';
import type { Resource } from '../kubernetes/api.ts';
import type { ResourceStance } from '../kubernetes/resource-platform.ts';

/** The fields of an HTTP route that an order may change; null: not there. */
const OWNED = ['fault', 'route', 'mirror', 'mirrors', 'mirrorPercentage', 'mirrorPercent', 'mirror_percent'] as const;
type Owned = { readonly [Field in (typeof OWNED)[number]]: Json };
/** By route. */
type RoutesState = Record<string, Record<string, Json>>;

const destinationSchema = z.looseObject({ host: z.string(), port: z.json().optional(), subset: z.string().optional() });
const routeSchema = z.looseObject({
  name: z.string().optional(),
  match: z.json().optional(),
  route: z.array(z.looseObject({ destination: destinationSchema })).optional(),
});
const specSchema = z.looseObject({ http: z.array(routeSchema).min(1) });

/** The share of requests that a mirror runs beside. */
const ALL = { value: 100 } as const;
const REFUSED = 503;

/**
 * An Istio VirtualService (networking.istio.io/v1): its HTTP routes to the endpoint's host. Subsets of a DestinationRule are the places of models.
 * Isolation is a fault that aborts every request with 503 in the client's proxy or the ingress; other routes of the resource stay as they are.
 */
export function virtualServiceStance(options: {
  readonly namespace: string;
  readonly virtualService: string;
  /** Only routes to this host are the endpoint's. */
  readonly host: string;
  readonly places: Places;
}): ResourceStance<RoutesState> {
  const { host, places } = options;
  const mine = (route: z.output<typeof routeSchema>): boolean =>
    route.route?.some(({ destination }) => destination.host === host) === true;

  const routesOf = (resource: Resource) => {
    const parsed = specSchema.safeParse(resource.spec);
    if (!parsed.success || !parsed.data.http.some(mine))
      throw new Failure(
        'endpoint/refused',
        `the VirtualService ${options.virtualService} has no HTTP route to ${host}`,
      );
    return parsed.data.http;
  };

  function towards(stance: Stance, now: RoutesState): RoutesState {
    const change = changeFor(stance);
    return Object.fromEntries(Object.entries(now).map(([key, route]) => [key, { ...route, ...change(route) }]));
  }

  function changeFor(stance: Stance): (route: Record<string, Json>) => Partial<Owned> {
    const to = (subset: string, route: Record<string, Json>, weight?: number): Json => ({
      destination: { ...portOf(route), host, subset },
      ...(weight === undefined ? {} : { weight }),
    });
    const quiet = {
      fault: null,
      mirror: null,
      mirrors: null,
      mirrorPercentage: null,
      mirrorPercent: null,
      mirror_percent: null,
    };
    switch (stance.kind) {
      case 'isolated':
        return () => ({ ...quiet, fault: { abort: { httpStatus: REFUSED, percentage: ALL } } });
      case 'serving': {
        const live = placeOf(places, stance.model);
        return (route) => ({ ...quiet, route: [to(live, route)] });
      }
      case 'canary': {
        const [live, candidate] = [placeOf(places, stance.model), placeOf(places, stance.candidate)];
        const weight = Math.round(stance.share * 100);
        return (route) => ({ ...quiet, route: [to(live, route, 100 - weight), to(candidate, route, weight)] });
      }
      case 'shadow': {
        const live = placeOf(places, stance.model);
        const observed = stance.observed && placeOf(places, stance.observed);
        return (route) => ({
          ...quiet,
          route: [to(live, route)],
          ...(observed ? { mirror: { ...portOf(route), host, subset: observed }, mirrorPercentage: ALL } : {}),
        });
      }
      default:
        throw new Failure('endpoint/refused', `a VirtualService has no stance "${stance.kind}"`);
    }
  }

  return {
    name: 'istio',
    kind: { group: 'networking.istio.io', version: 'v1', plural: 'virtualservices' },
    namespace: options.namespace,
    resource: options.virtualService,
    captures: ['routes with weights, faults and mirrors', 'the whole VirtualService'],
    stances: ['serving', 'canary', 'shadow', 'isolated'],
    towards,
    select: (resource) =>
      Object.fromEntries(
        keyed(routesOf(resource)).flatMap(([key, route]) =>
          mine(route) ? [[key, Object.fromEntries(OWNED.map((field) => [field, (route[field] ?? null) as Json]))]] : [],
        ),
      ),
    apply: (resource, state) => {
      const http = keyed(routesOf(resource)).map(([key, route]) => {
        const owned = state[key];
        if (owned === undefined) return route;
        const others = Object.entries(route).filter(([field]) => !(OWNED as readonly string[]).includes(field));
        return Object.fromEntries([...others, ...Object.entries(owned).filter(([, value]) => value !== null)]);
      });
      return { ...resource, spec: { ...(resource.spec as object), http } as Json };
    },
    words: (state) =>
      Object.entries(state)
        .map(([key, route]) => `${key}: ${routeWords(route)}`)
        .join('; '),
  };
}

/** A route keeps its key when others are put before it: its name, or the digest of what it matches; the first of equals is the one that counts. */
function keyed<Route extends { name?: string | undefined; match?: Json | undefined }>(
  routes: readonly Route[],
): readonly (readonly [string, Route])[] {
  const seen = new Map<string, number>();
  return routes.map((route) => {
    const key = route.name ?? (route.match === undefined ? 'default' : digestOfJson(route.match).slice(0, 19));
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return [count === 1 ? key : `${key} (${count})`, route];
  });
}

function portOf(route: Record<string, Json>): { port?: Json } {
  const [first] = z
    .array(z.looseObject({ destination: destinationSchema }))
    .catch([])
    .parse(route['route']);
  return first?.destination.port === undefined ? {} : { port: first.destination.port };
}

function routeWords(route: Record<string, Json>): string {
  if (route['fault'] !== null) return 'a fault is injected';
  const to = z
    .array(z.looseObject({ destination: destinationSchema, weight: z.number().optional() }))
    .catch([])
    .parse(route['route']);
  return to.map(({ destination, weight }) => `${destination.subset ?? destination.host} ${weight ?? 100} %`).join(', ');
}
