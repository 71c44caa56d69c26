import { type IDataObject, type IExecuteFunctions, NodeOperationError } from 'n8n-workflow';

/** What an operation does for one item; each object becomes an item of its own. */
export type Operation = (context: IExecuteFunctions, itemIndex: number) => Promise<IDataObject[]>;

/**
 * A parameter that becomes a part of a path.
 *
 * @throws NodeOperationError when it is empty
 */
export function pathPart(
  context: IExecuteFunctions,
  name: 'botId' | 'appointmentId' | 'holdId',
  itemIndex: number,
): string {
  const given = context.getNodeParameter(name, itemIndex, '', { extractValue: true });
  const value = typeof given === 'string' ? given.trim() : '';
  if (value !== '') return encodeURIComponent(value);
  throw new NodeOperationError(context.getNode(), `The parameter "${name}" is empty`, {
    itemIndex,
    description: 'An expression in it may have found nothing; see what the node before returned.',
  });
}

/** Parameters by their names in the API; those that are empty are left out. */
export function parameters(
  context: IExecuteFunctions,
  itemIndex: number,
  names: readonly string[],
): IDataObject {
  return filled(
    Object.fromEntries(names.map((name) => [name, context.getNodeParameter(name, itemIndex, '')])),
  );
}

/** The members of a collection by their names in the API; those that are empty are left out. */
export function collection(
  context: IExecuteFunctions,
  itemIndex: number,
  name: 'additionalFields' | 'options',
): IDataObject {
  return filled(context.getNodeParameter(name, itemIndex, {}) as IDataObject);
}

/** What is not empty; durations, which expressions make texts of, as numbers. */
function filled(fields: Record<string, unknown>): IDataObject {
  const entries = Object.entries(fields).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined,
  );
  const result = Object.fromEntries(entries) as IDataObject;
  const { durationMinutes } = result;
  if (typeof durationMinutes === 'string' && /^\s*\d+\s*$/.test(durationMinutes)) {
    result.durationMinutes = Number(durationMinutes);
  }
  return result;
}

/** How many members of a list are wanted. */
export function wantedCount(context: IExecuteFunctions, itemIndex: number): number {
  const all = context.getNodeParameter('returnAll', itemIndex, false);
  return all ? Number.POSITIVE_INFINITY : Number(context.getNodeParameter('limit', itemIndex, 50));
}
