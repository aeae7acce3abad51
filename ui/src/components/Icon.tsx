import { cx } from '../lib/cx';

// 16 px, one stroke width, in the colour of the text around.
const PATHS = {
  inbox: 'M2 9.5 4 3.5h8l2 6v3H2zM2 9.5h3.5L6.5 11h3l1-1.5H14',
  unread: 'M2 4.5h7M2 8h12M2 11.5h12M13 4.5v.01',
  star: 'm8 2.2 1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z',
  clock: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.2l2 1.3',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  layers: 'm8 2.5 6 3-6 3-6-3zM2 8.3l6 3 6-3M2 11l6 3 6-3',
  plug: 'M5.5 2v3M10.5 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V14',
  gear: 'M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4M8 1.8v2M8 12.2v2M14.2 8h-2M3.8 8h-2M12.4 3.6 11 5M5 11l-1.4 1.4M12.4 12.4 11 11M5 5 3.6 3.6',
  branch: 'M4.5 5.5v5M4.5 2.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M4.5 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M11.5 2.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M11.5 5.5c0 3-4 2.5-6.5 4.5',
  import: 'M8 2v7.5M5 6.8l3 3 3-3M2.5 10.5v3h11v-3',
  outbox: 'M8 9.5V2M5 4.7l3-2.9 3 2.9M2.5 10.5v3h11v-3',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4M10.2 10.2l3.3 3.3',
  external: 'M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5',
  mute: 'M4 11V7a4 4 0 0 1 6.4-3.2M12 7v4M2.8 11h8M6.5 13.3h3M2.5 2.5l11 11',
  alert: 'M8 2.5 14 13H2zM8 6.5v3M8 11.3v.01',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3',
  down: 'm4.5 6.5 3.5 3.5 3.5-3.5',
  right: 'M6.5 4.5 10 8l-3.5 3.5',
  left: 'M9.5 4.5 6 8l3.5 3.5',
  more: 'M3.5 8v.01M8 8v.01M12.5 8v.01',
  key: 'M5.2 7.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M7.2 8.3 13 2.5M10.5 5l2 2',
  folder: 'M2 4h4.2l1.3 1.5H14V13H2z',
  close: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  offline: 'M2.5 6.2a8.5 8.5 0 0 1 3-1.7M8.8 4a8.5 8.5 0 0 1 4.7 2.2M5 9a5 5 0 0 1 2-1.2M8 12.5v.01M2.5 2.5l11 11',
  undo: 'M5.5 3.5 2.5 6.5l3 3M2.5 6.5h7a3.5 3.5 0 0 1 0 7H7',
  dot: 'M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6',
  square: 'M3 3h10v10H3z',
  squareCheck: 'M3 3h10v10H3zM5.5 8.2l1.9 1.9 3.2-4',
  sidebar: 'M2.5 3h11v10h-11zM6.5 3v10',
  shield: 'M8 2l5 2v4c0 3-2 5-5 6-3-1-5-3-5-6V4z',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.7 9h5.6l.7-9',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside words, hidden from screen readers; give `label` where it stands alone. */
export function Icon({ name, label, className, filled }: { name: IconName; label?: string; className?: string; filled?: boolean }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={cx('size-4 shrink-0', className)}
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth={name === 'more' || name === 'dot' ? 2 : 1.35}
      strokeLinecap="round"
      strokeLinejoin="round"
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
