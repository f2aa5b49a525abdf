// SPDX-License-Identifier: MIT
// The icons: lines on a square of 24, in the color of the text. They say nothing to screen readers;
// whatever they stand in has a label.

const PATHS = {
  add: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2.2 2.2 0 0 0 4 0',
  bellOff:
    'M6 16V11a6 6 0 0 1 .8-3M9.5 5.6A6 6 0 0 1 18 11v3M16 18H4.5L6 16' +
    'M10 20.5a2.2 2.2 0 0 0 4 0M4 4l16 16',
  block: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM6.4 6.4l11.2 11.2',
  camera: 'M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10.2a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z',
  channel: 'M5 9.5v5h3l7 4V5.5l-7 4zM18 9.5a3.5 3.5 0 0 1 0 5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2.5 12.5L7 17l9-9.5M11.5 16.5l.5.500 9.5-9.5',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  device: 'M8 3.5h8a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1zM11 17.5h2',
  down: 'M12 5v14M6 13l6 6 6-6',
  edit: 'M4 20l1-4L16.5 4.5l3 3L8 19z',
  group:
    'M9 5a3.2 3.2 0 1 0 0 6.4A3.2 3.2 0 0 0 9 5zM3 19c.3-3.5 2.8-5.5 6-5.5s5.7 2 6 5.5' +
    'M16 5.5a3 3 0 0 1 0 5.6M17.5 14c2 .7 3.3 2.5 3.5 5',
  info: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8v.01',
  leave: 'M14 4.5H5.5v15H14M10 12h10M16.5 8l4 4-4 4',
  link:
    'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1' +
    'M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
  menu: 'M12 6v.01M12 12v.01M12 18v.01',
  newChat: 'M12 5H6.5A2.5 2.5 0 0 0 4 7.5V20l3.5-3H16a2.5 2.5 0 0 0 2.5-2.5V13M15 6h6M18 3v6',
  reply: 'M9 6l-5 5 5 5M4 11h9c4 0 6.5 2.5 7 7',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15.5 15.5L20 20',
  send: 'M4.5 12L4 4.5 20.5 12 4 19.5zM4.5 12h8',
  settings: 'M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4',
  smile: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9 10v.01M15 10v.01M8.5 14c1.8 2.6 5.2 2.6 7 0',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7',
  user: 'M12 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM5 20c.5-4 3.3-6 7-6s6.5 2 7 6',
  warning: 'M12 4.5L3.5 19.5h17zM12 10v4.5M12 17v.01',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of the house: a B of two speech bubbles. */
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="15" class="logo-ground" />
      <path class="logo-top" d="M20 12h14.5a10 10 0 0 1 0 20H20z" />
      <path
        class="logo-bottom"
        d={
          'M20 28.5h18a11.75 11.75 0 0 1 0 23.5H27l-9.2 5.2A1.2 1.2 0 0 1 16 56.2' +
          'V32.5a4 4 0 0 1 4-4z'
        }
      />
      <circle class="logo-ground" cx="27.5" cy="40.25" r="2.25" />
      <circle class="logo-ground" cx="34.5" cy="40.25" r="2.25" />
      <circle class="logo-ground" cx="41.5" cy="40.25" r="2.25" />
    </svg>
  );
}
