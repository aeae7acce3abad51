/** The part of JSON Schema that settings and action inputs use. */
export type Schema = {
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  pattern?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
};

export type Kind = 'text' | 'long' | 'number' | 'flag' | 'choice' | 'texts' | 'folders' | 'folder' | 'json';
export type FieldSpec = { name: string; kind: Kind; label: string; help?: string | undefined; required: boolean; schema: Schema };

/** The fields of a form, in the schema's order. */
export function fieldsOf(schema: Schema | null | undefined): FieldSpec[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    kind: kindOf(property),
    label: property.title ?? inWords(name),
    help: property.description,
    required: schema?.required?.includes(name) ?? false,
    schema: property,
  }));
}

function kindOf(schema: Schema): Kind {
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  if (schema.enum) return 'choice';
  if (type === 'boolean') return 'flag';
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'array' && (schema.items?.type ?? 'string') === 'string') return isFolder(schema.items) ? 'folders' : 'texts';
  if (type !== 'string' && type !== undefined) return 'json';
  if (isFolder(schema)) return 'folder';
  return schema.format === 'markdown' || schema.format === 'multiline' ? 'long' : 'text';
}

function isFolder(schema: Schema | undefined): boolean {
  return schema?.format === 'folder' || schema?.format === 'directory';
}

/** `oldAfterHours` as `Old after hours`. */
function inWords(name: string): string {
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[_-]/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a field holds while it is edited: text for text, numbers and JSON; the value itself for the rest. */
export function startOf(field: FieldSpec, value: unknown): unknown {
  const at = value ?? field.schema.default;
  switch (field.kind) {
    case 'flag':
      return at === true;
    case 'texts':
    case 'folders':
      return Array.isArray(at) ? at.map(String) : [];
    case 'choice':
      return at === undefined ? '' : JSON.stringify(at);
    case 'json':
      return at === undefined ? '' : JSON.stringify(at, null, 2);
    default:
      return at === undefined || at === null ? '' : String(at);
  }
}

export type Parsed = { value: unknown; error?: undefined } | { value?: undefined; error: string };

/** Reads an edited field back. An empty field that is not required is left out. */
export function parseField(field: FieldSpec, edited: unknown): Parsed {
  const { schema } = field;
  const text = typeof edited === 'string' ? edited.trim() : '';
  switch (field.kind) {
    case 'flag':
      return { value: edited === true };
    case 'texts':
    case 'folders': {
      const list = (Array.isArray(edited) ? edited : []).map((each) => String(each).trim()).filter((each) => each !== '');
      const least = Math.max(schema.minItems ?? 0, field.required ? 1 : 0);
      return list.length < least ? { error: least === 1 ? 'Give at least one.' : `Give at least ${least}.` } : { value: list };
    }
    case 'choice':
      if (text === '') return missing(field);
      return { value: JSON.parse(text) };
    case 'number':
      return text === '' ? missing(field) : parseNumber(schema, text);
    case 'json':
      if (text === '') return missing(field);
      try {
        return { value: JSON.parse(text) };
      } catch {
        return { error: 'This is not valid JSON.' };
      }
    default:
      return text === '' ? missing(field) : parseText(schema, text);
  }
}

function missing(field: FieldSpec): Parsed {
  return field.required ? { error: 'This is needed.' } : { value: undefined };
}

function parseNumber(schema: Schema, text: string): Parsed {
  const value = Number(text);
  if (Number.isNaN(value)) return { error: 'This is not a number.' };
  if (schema.type === 'integer' && !Number.isInteger(value)) return { error: 'This must be a whole number.' };
  if (schema.minimum !== undefined && value < schema.minimum) return { error: `This must be at least ${schema.minimum}.` };
  if (schema.maximum !== undefined && value > schema.maximum) return { error: `This must be at most ${schema.maximum}.` };
  return { value };
}

function parseText(schema: Schema, text: string): Parsed {
  const length = [...text].length;
  if (schema.minLength !== undefined && length < schema.minLength) return { error: `This takes at least ${schema.minLength} characters.` };
  if (schema.maxLength !== undefined && length > schema.maxLength) return { error: `This takes at most ${schema.maxLength} characters.` };
  // The pattern comes from a plugin and is checked in Rust: a slow one would freeze the window here.
  return { value: text };
}

/** Reads a whole form: the value, or the errors by field. Settings without a field are kept. */
export function parseForm(fields: readonly FieldSpec[], edited: Record<string, unknown>, before: Record<string, unknown>) {
  const value: Record<string, unknown> = { ...before };
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const parsed = parseField(field, edited[field.name]);
    if (parsed.error !== undefined) errors[field.name] = parsed.error;
    else if (parsed.value === undefined) delete value[field.name];
    else value[field.name] = parsed.value;
  }
  return { value, errors };
}

/** The field that a pointer such as `/folders/0` lies in, and which entry of it. */
export function fieldAt(pointer: unknown): { name: string; index: number | null } | null {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) return null;
  const [name, index] = pointer.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (!name) return null;
  return { name, index: index !== undefined && /^\d+$/.test(index) ? Number(index) : null };
}
