import { closest, distance } from 'fastest-levenshtein';
import type { FastifySchemaCompiler } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { ApiError } from '../api-error.ts';

interface SchemaFault {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: {
    additionalProperties?: readonly string[];
    requiredProperties?: readonly string[];
  };
  readonly message: string;
}

/** How far a name may be from a known one to be taken for a slip. */
const maxSlip = 3;

/** The names that an object may have at a place of its schema. */
function namesAt(schema: unknown, schemaPath: string): string[] {
  let place = schema;
  for (const step of schemaPath.split('/').slice(1)) {
    place = (place as Record<string, unknown> | undefined)?.[step];
  }
  return Object.keys((place as { properties?: object } | undefined)?.properties ?? {});
}

function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const lower = name.toLowerCase().replaceAll('_', '');
  const match = closest(
    lower,
    known.map((k) => k.toLowerCase()),
  );
  if (distance(lower, match) > maxSlip) return '';
  return ` Did you mean "${known.find((k) => k.toLowerCase() === match)}"?`;
}

function fieldOf(fault: SchemaFault): string {
  return fault.instancePath.slice(1).replaceAll('/', '.');
}

/** Says a schema's fault as a person would. */
function describe(fault: SchemaFault): { field: string; message: string } {
  const field = fieldOf(fault);
  if (fault.keyword === 'required') {
    const missing = (fault.params.requiredProperties ?? []).join(', ');
    const path = field ? `${field}.${missing}` : missing;
    return { field: path, message: `${path} is missing` };
  }
  return { field, message: `${field || 'the body'} ${fault.message}` };
}

/** Faults that only restate another one: a closed object's `false` schema, a failed alternative. */
const restating: ReadonlySet<string> = new Set(['boolean', 'anyOf']);

function toApiError(schema: unknown, faults: readonly SchemaFault[]): ApiError {
  const unknown = faults.find((fault) => fault.keyword === 'additionalProperties');
  const [name] = unknown?.params.additionalProperties ?? [];
  if (unknown && name !== undefined) {
    const path = fieldOf(unknown);
    const field = path ? `${path}.${name}` : name;
    const suggestion = didYouMean(name, namesAt(schema, unknown.schemaPath));
    return new ApiError('unknown_field', {
      values: { field, suggestion },
      members: { errors: [{ field, message: `is not known here.${suggestion}` }] },
    });
  }
  const telling = faults.filter((fault) => !restating.has(fault.keyword));
  const errors = (telling.length > 0 ? telling : faults).map(describe);
  return new ApiError('invalid_request', {
    values: { reason: errors[0]?.message ?? 'it does not fit the schema' },
    members: { errors },
  });
}

/** What is wrong with a value, or null. The schema is compiled when it is first needed. */
function faultFinder(schema: TSchema): (value: unknown) => SchemaFault[] | null {
  let validator: Validator | undefined;
  return (value) => {
    validator ??= Compile(schema);
    return validator.Check(value) ? null : (validator.Errors(value) as SchemaFault[]);
  };
}

/**
 * A check of bodies against a schema, in the words of the error catalogue.
 *
 * @returns a function that passes a body on, typed, or throws the {@link ApiError}
 */
export function bodyReader<T extends TSchema>(schema: T): (body: unknown) => Static<T> {
  const faultsIn = faultFinder(schema);
  return (body) => {
    const faults = faultsIn(body);
    if (faults) throw toApiError(schema, faults);
    return body as Static<T>;
  };
}

/** Fastify's hook for the same; queries are converted from text first. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const faultsIn = faultFinder(schema);
  return (received: unknown) => {
    const value = httpPart === 'querystring' ? Value.Convert(schema, received) : received;
    const faults = faultsIn(value);
    return faults ? { error: toApiError(schema, faults) } : { value };
  };
};
