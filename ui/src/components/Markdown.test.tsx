// @vitest-environment jsdom
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { LiveRegion } from './live';
import Markdown from './Markdown';

const TEXT = 'See:\n\n```ts\nconst a = "<b>";\n```\n\nand\n\n```\nplain\n```';

test('code gets its colours, and is copied as it was written, by keyboard', async () => {
  const user = userEvent.setup();
  render(
    <>
      <Markdown text={TEXT} />
      <LiveRegion />
    </>,
  );
  await waitFor(() => expect(document.querySelector('pre span')).not.toBeNull());
  const buttons = screen.getAllByRole('button', { name: 'Copy code' });
  expect(buttons).toHaveLength(2);
  await user.tab();
  expect(document.activeElement).toBe(buttons[0]);
  await user.keyboard('{Enter}');
  expect(await navigator.clipboard.readText()).toBe('const a = "<b>";\n');
  await waitFor(() => expect(screen.getAllByText('Copied').some((each) => each.getAttribute('aria-live') === 'polite')).toBe(true));
  expect(buttons[0]!.textContent).toBe('Copied');
});

test('another text has its own buttons, and no others', () => {
  const { rerender, container } = render(<Markdown text={TEXT} />);
  rerender(<Markdown text={'```\none\n```'} />);
  expect(container.querySelectorAll('button')).toHaveLength(1);
  rerender(<Markdown text="none" />);
  expect(container.querySelectorAll('button, pre')).toHaveLength(0);
});
