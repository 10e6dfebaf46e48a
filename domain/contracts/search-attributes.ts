/**
 * Typed search attributes of an incident. SQLite visibility takes at most 10 Keyword attributes; give them to the server at start
 * (`--search-attribute Name=Keyword`). The values are redefined as keys in workflows and clients with `defineSearchAttributeKey`.
 */
export const SEARCH_ATTRIBUTES = {
  incident: 'LazaretIncident',
  endpoint: 'LazaretEndpoint',
  kind: 'LazaretKind',
  severity: 'LazaretSeverity',
  phase: 'LazaretPhase',
  /** The gate a person is waited for at, `-` when none. */
  waiting: 'LazaretWaiting',
  stance: 'LazaretStance',
  outcome: 'LazaretOutcome',
} as const;
