import { ApiError } from './errors.ts';

/** Readers of single values in a request body. Each throws ApiError invalid on the wrong type. */
export type Reader<Value> = (value: unknown, path: string) => Value;

export function invalidField(path: string): ApiError {
  return new ApiError('invalid', { message: `Invalid value for field: ${path}` });
}

export const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw invalidField(path);
  return value;
};

/** Google reads numbers and booleans where it wants a string's worth; only true booleans count here. */
export const bool: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw invalidField(path);
  return value;
};

export function integer(from: number, to: number): Reader<number> {
  return (value, path) => {
    if (!Number.isInteger(value) || (value as number) < from || (value as number) > to) {
      throw invalidField(path);
    }
    return value as number;
  };
}

export function oneOf<const Name extends string>(...names: readonly Name[]): Reader<Name> {
  return (value, path) => {
    const name = names.find((known) => known === value);
    if (name === undefined) throw invalidField(path);
    return name;
  };
}

export const object: Reader<Record<string, unknown>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidField(path);
  return value as Record<string, unknown>;
};

export function list<Item>(item: Reader<Item>): Reader<Item[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw invalidField(path);
    return value.map((entry, index) => item(entry, `${path}[${index}]`));
  };
}

/** Reads an optional member of an object: absent and null are both undefined. */
export function optional<Value>(
  from: Record<string, unknown>,
  name: string,
  reader: Reader<Value>,
  path: string,
): Value | undefined {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  return value === undefined || value === null ? undefined : reader(value, `${path}.${name}`);
}
