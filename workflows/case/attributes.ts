import { upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';

const KEYS = {
  incident: defineSearchAttributeKey(SEARCH_ATTRIBUTES.incident, SearchAttributeType.KEYWORD),
  endpoint: defineSearchAttributeKey(SEARCH_ATTRIBUTES.endpoint, SearchAttributeType.KEYWORD),
  kind: defineSearchAttributeKey(SEARCH_ATTRIBUTES.kind, SearchAttributeType.KEYWORD),
  severity: defineSearchAttributeKey(SEARCH_ATTRIBUTES.severity, SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD),
  waiting: defineSearchAttributeKey(SEARCH_ATTRIBUTES.waiting, SearchAttributeType.KEYWORD),
  stance: defineSearchAttributeKey(SEARCH_ATTRIBUTES.stance, SearchAttributeType.KEYWORD),
  outcome: defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome, SearchAttributeType.KEYWORD),
} as const;

/** Publishes what lists are filtered by. */
export function publish(values: Partial<Record<keyof typeof KEYS, string>>): void {
  upsertSearchAttributes(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [{ key: KEYS[name as keyof typeof KEYS], value }],
    ),
  );
}
