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

type Name = keyof typeof KEYS;

/**
 * Publishes what lists are filtered by. Each upsert is an event in the history and a write of the visibility store, so an unchanged value is
 * not published again, and what is noted on the way to containment goes out in one. That is also needed for replay: an update may be
 * delivered together with the result of an activity, and a command that only says what was said before would then be missing.
 */
export class Attributes {
  private readonly said = new Map<Name, string>();
  private readonly pending = new Map<Name, string>();

  /** Goes out with the next `publish`. */
  note(values: Partial<Record<Name, string>>): void {
    for (const [name, value] of Object.entries(values) as [Name, string | undefined][]) {
      if (value !== undefined) this.pending.set(name, value);
    }
  }

  publish(values: Partial<Record<Name, string>> = {}): void {
    this.note(values);
    const news = [...this.pending].filter(([name, value]) => this.said.get(name) !== value);
    this.pending.clear();
    if (news.length === 0) return;
    for (const [name, value] of news) this.said.set(name, value);
    upsertSearchAttributes(news.map(([name, value]) => ({ key: KEYS[name], value })));
  }
}
