// SPDX-License-Identifier: MIT
// Buttons, fields and menus: the small things that everything else is made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import type { BanterError, Code } from '../../sdk/index.ts';
import { sentence } from '../format.ts';
import { Icon, type IconName } from './icons.tsx';

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly href?: string;
  readonly class?: string;
  readonly size?: number;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly tabIndex?: number;
}

/** A button, or with `href` a link, that shows an icon and says its label. */
export function IconButton({
  icon,
  label,
  onClick,
  href,
  size,
  disabled,
  pressed,
  tabIndex,
  class: extra = '',
}: IconButtonProps) {
  const shared = { class: `icon-button ${extra}`, 'aria-label': label, title: label, tabIndex };
  if (href !== undefined)
    return (
      <a {...shared} href={href}>
        <Icon name={icon} size={size} />
      </a>
    );
  return (
    <button {...shared} type="button" disabled={disabled} aria-pressed={pressed} onClick={onClick}>
      <Icon name={icon} size={size} />
    </button>
  );
}

type AutoFill = 'off' | 'name' | 'email' | 'username' | 'current-password' | 'new-password';

interface FieldProps {
  readonly type?: 'text' | 'password' | 'email';
  readonly name?: string;
  readonly autoComplete?: AutoFill;
  readonly autoCapitalize?: 'none';
  readonly spellcheck?: boolean;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: string;
  readonly error?: string | null;
}

export function Field({ type = 'text', label, value, onValue, hint, error, ...rest }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...rest}
        type={type as 'text'}
        id={id}
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {note && (
        <p id={`${id}-note`} class={error ? 'note error' : 'note'}>
          {note}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChoose: (value: T) => void;
  readonly disabled?: boolean;
}

/** One of a few, all of them in view. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChoose,
  disabled,
}: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend>{label}</legend>
      <div class="choice-row">
        {options.map(([option, words]) => (
          <label key={option}>
            <input
              type="radio"
              name={name}
              checked={option === value}
              onChange={() => onChoose(option)}
            />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint: string;
  readonly checked: boolean;
  readonly disabled: boolean;
  readonly onTurn: (on: boolean) => void;
}

export function Switch({ label, hint, checked, disabled, onTurn }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch">
      <button
        type="button"
        role="switch"
        aria-checked={checked}
        aria-describedby={id}
        disabled={disabled}
        onClick={() => onTurn(!checked)}
      >
        {label}
      </button>
      <p id={id} class="note">
        {hint}
      </p>
    </div>
  );
}

/** What went wrong, said aloud when it appears. */
export function Problem({
  error,
  special,
}: {
  error: BanterError | null;
  special?: Partial<Record<Code, string>>;
}) {
  return (
    <div role="alert">
      {error && (
        <p class="problem">
          <Icon name="warning" size={16} /> {sentence(error, special)}
        </p>
      )}
    </div>
  );
}

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly danger?: boolean;
  readonly onChoose: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly icon?: IconName;
  readonly children?: ComponentChildren;
  readonly class?: string;
  readonly tabIndex?: number;
}

/** A button that opens a menu, which the arrow keys move through. */
export function Menu({ label, items, icon = 'menu', children, class: extra, tabIndex }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (!open) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'Tab') {
      setOpen(false);
    } else {
      moveFocus(event, root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? []);
    }
  };
  return (
    <div class="menu-root" ref={root} onKeyDown={pressed}>
      <button
        ref={button}
        type="button"
        class={extra ?? 'icon-button'}
        aria-label={children ? undefined : label}
        title={children ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={open}
        tabIndex={tabIndex}
        onClick={() => setOpen(!open)}
      >
        {children ?? <Icon name={icon} />}
      </button>
      {open && (
        <div class="menu" role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={item.danger ? 'danger' : ''}
              onClick={() => {
                close();
                item.onChoose();
              }}
            >
              {item.icon && <Icon name={item.icon} size={18} />}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Arrow keys, Home and End move the focus among `elements`. True: it was one of these keys. */
export function moveFocus(
  event: KeyboardEvent,
  elements: ArrayLike<HTMLElement>,
  sideways = false,
): boolean {
  const list = Array.from(elements);
  const at = list.indexOf(document.activeElement as HTMLElement);
  const [next, previous] = sideways ? ['ArrowRight', 'ArrowLeft'] : ['ArrowDown', 'ArrowUp'];
  let target: HTMLElement | undefined;
  if (event.key === next) target = list[Math.min(at + 1, list.length - 1)];
  else if (event.key === previous) target = list[Math.max(at - 1, 0)];
  else if (event.key === 'Home') target = list[0];
  else if (event.key === 'End') target = list.at(-1);
  else return false;
  event.preventDefault();
  target?.focus();
  return true;
}
