import { useId, useRef, type ComponentProps, type RefObject } from 'react';

import { Input } from '../components/Field';
import { choiceId, Choices } from './Choices';
import { complete } from './complete';
import { useKnownValues } from './known';
import { useCompletion } from './useCompletion';

type Props = Omit<ComponentProps<'input'>, 'value' | 'onChange'> & {
  value: string;
  onChange: (query: string) => void;
  /** What the list hangs under, so as not to cover it; else the field itself. */
  below?: RefObject<HTMLElement | null>;
  align?: 'start' | 'end';
};

/** A field for a query, which offers operators and values as they are typed. */
export function QueryField({ value, onChange, onKeyDown, onBlur, below, align, ...rest }: Props) {
  const listId = useId();
  const field = useRef<HTMLInputElement>(null);
  const known = useKnownValues();
  const completion = useCompletion({ field, value, onChange, suggest: (text, caret) => complete(text, caret, known()), arrowOpens: true });
  const { open } = completion;
  return (
    <>
      <Input
        {...rest}
        ref={field}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open !== null}
        aria-controls={open ? listId : undefined}
        aria-activedescendant={open && open.at !== null ? choiceId(listId, open.at) : undefined}
        value={value}
        onChange={(event) => completion.onText(event.currentTarget)}
        onSelect={(event) => completion.onCaret(event.currentTarget)}
        onKeyDown={(event) => {
          if (!completion.onKey(event)) onKeyDown?.(event);
        }}
        onBlur={(event) => {
          completion.onLeave();
          onBlur?.(event);
        }}
      />
      {open && <Choices id={listId} below={below ?? field} align={align} choices={open.completion.choices} at={open.at} onChoose={completion.choose} />}
    </>
  );
}
