import { z } from 'zod';
import { configurationSchema } from '../../domain/contracts/configuration.ts';
import { digestSchema } from '../../domain/contracts/object-ref.ts';

/** The part of JSON Schema (draft 2020-12) that the configuration's schema uses. */
export interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

/** JSON Schema of `lazaret.yaml` for editors; `docs/lazaret.schema.json` is this text. What has a default is optional. */
export function configurationJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configurationSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== digestSchema) return;
      jsonSchema.type = 'string';
      jsonSchema.pattern = '^sha256:[0-9a-f]{64}$';
    },
  });
  return { ...schema, title: 'lazaret.yaml', description: 'What Lazaret answers for, and who may decide.' };
}

/** The file as it is committed. */
export function configurationJsonSchemaText(): string {
  return `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
}

/** What the schema says about a place of the file; null where it says nothing. */
export function schemaAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | null {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    const alternatives: readonly SchemaNode[] = node?.anyOf ?? node?.oneOf ?? (node ? [node] : []);
    node = alternatives.map((alternative) => descend(alternative, step)).find((found) => found !== undefined);
    if (!node) return null;
  }
  return node;
}

function descend(node: SchemaNode, step: PropertyKey): SchemaNode | undefined {
  if (typeof step === 'number') return node.items;
  const named = node.properties && Object.hasOwn(node.properties, step) ? node.properties[String(step)] : undefined;
  if (named) return named;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}
