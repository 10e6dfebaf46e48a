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
 * Publishes what lists are filtered by. An unchanged value is not published again: each upsert is an event in the history. It also MUST
 * stay so for replay: an update may be delivered together with the result of an activity, and a command that only says what was said
 * before would then be missing.
 */
export class Attributes {
  private readonly said = new Map<Name, string>();

  publish(values: Partial<Record<Name, string>>): void {
    const news = (Object.entries(values) as [Name, string | undefined][]).flatMap(([name, value]) =>
      value === undefined || this.said.get(name) === value ? [] : [{ name, value }],
    );
    if (news.length === 0) return;
    for (const { name, value } of news) this.said.set(name, value);
    upsertSearchAttributes(news.map(({ name, value }) => ({ key: KEYS[name], value })));
  }
}
