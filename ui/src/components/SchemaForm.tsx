import { useId, useMemo, useState } from 'react';
import { Controller, useForm, type Control } from 'react-hook-form';

import { fieldAt, fieldsOf, parseForm, startOf, type FieldSpec, type Schema } from '../lib/schema';
import { toError } from '../platform/platform';
import type { DevRigError } from '../platform/wire';
import { Button } from './Button';
import { ErrorNote } from './ErrorNote';
import { Checkbox, Field, Input, Select, TextArea } from './Field';
import { TextList } from './TextList';

type Values = Record<string, unknown>;
type Props = { schema: Schema | null; value: Values; submit: string; onSubmit: (value: Values) => Promise<unknown>; onCancel?: () => void };

/** A form made from a JSON Schema. What the engine refuses is shown at the field that it names. */
export default function SchemaForm({ schema, value, submit, onSubmit, onCancel }: Props) {
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const defaultValues = useMemo(() => Object.fromEntries(fields.map((field) => [field.name, startOf(field, value[field.name])])), [fields, value]);
  // `values` rather than defaults: settings changed elsewhere show up as long as nothing was typed.
  const form = useForm<Values>({ values: defaultValues, resetOptions: { keepDirtyValues: true } });
  const [failure, setFailure] = useState<DevRigError | null>(null);
  const [wrongEntry, setWrongEntry] = useState<{ name: string; index: number | null } | null>(null);
  const { errors, isSubmitting, isDirty } = form.formState;

  const send = form.handleSubmit(async (edited) => {
    setFailure(null);
    setWrongEntry(null);
    const parsed = parseForm(fields, edited, value);
    const wrong = Object.entries(parsed.errors);
    for (const [name, message] of wrong) form.setError(name, { message }, { shouldFocus: name === wrong[0]![0] });
    if (wrong.length > 0) return;
    try {
      await onSubmit(parsed.value);
      form.reset(edited);
    } catch (thrown) {
      const error = toError(thrown);
      const at = fieldAt(error.details?.field);
      if (at && fields.some((field) => field.name === at.name)) {
        setWrongEntry(at);
        form.setError(at.name, { message: [error.message, error.hint].filter(Boolean).join('. ') });
      } else setFailure(error);
    }
  });

  return (
    <form
      noValidate
      className="flex max-w-[560px] flex-col gap-4"
      onSubmit={(event) => {
        form.clearErrors();
        void send(event);
      }}
    >
      {fields.map((field) => (
        <SchemaField key={field.name} field={field} control={form.control} error={errors[field.name]?.message as string | undefined} wrongIndex={wrongEntry?.name === field.name ? wrongEntry.index : null} />
      ))}
      {failure && <ErrorNote title="That was not accepted" error={failure} />}
      <div className="flex gap-2">
        <Button type="submit" kind="primary" disabled={isSubmitting || (!onCancel && !isDirty)}>
          {submit}
        </Button>
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
      </div>
    </form>
  );
}

function SchemaField({ field, control, error, wrongIndex }: { field: FieldSpec; control: Control<Values>; error: string | undefined; wrongIndex: number | null }) {
  const id = useId();
  const describedBy = [field.help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <Controller
      control={control}
      name={field.name}
      render={({ field: { value, onChange, onBlur, ref } }) => {
        const shared = { id, ref, onBlur, onChange, value: String(value ?? ''), 'aria-invalid': error !== undefined, 'aria-describedby': describedBy };
        if (field.kind === 'flag') {
          return <Checkbox label={field.label} help={field.help} ref={ref} checked={value === true} onBlur={onBlur} onChange={(event) => onChange(event.target.checked)} />;
        }
        return (
          <Field id={id} label={field.label} help={field.help} error={error} required={field.required}>
            {field.kind === 'choice' ? (
              <Select {...shared}>
                {!field.required && <option value="">–</option>}
                {field.schema.enum?.map((choice) => (
                  <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
                    {String(choice)}
                  </option>
                ))}
              </Select>
            ) : field.kind === 'texts' || field.kind === 'folders' ? (
              <TextList id={id} label={field.label} values={Array.isArray(value) ? (value as string[]) : []} folders={field.kind === 'folders'} invalid={error === undefined ? null : (wrongIndex ?? -1)} describedBy={describedBy} onChange={onChange} />
            ) : field.kind === 'long' || field.kind === 'json' ? (
              <TextArea {...shared} className={field.kind === 'json' ? 'font-mono' : ''} />
            ) : field.kind === 'folder' ? (
              <TextList id={id} label={field.label} values={value ? [String(value)] : []} folders describedBy={describedBy} onChange={(values) => onChange(values.at(-1) ?? '')} />
            ) : (
              <Input {...shared} inputMode={field.kind === 'number' ? 'decimal' : undefined} className={field.kind === 'number' ? 'tnum w-32' : 'w-full'} />
            )}
          </Field>
        );
      }}
    />
  );
}
