// SPDX-License-Identifier: MIT
// What users are called and what they look like, for components: asked for once, a few at a time,
// shown as soon as they are known. Until then, and offline, a user is their handle.
import { useEffect, useState } from 'preact/hooks';

import type { Conversation, Handle } from '../sdk/index.ts';
import { limits, type Readable } from '../sdk/index.ts';
import { Value } from '../sdk/observable.ts';
import { client } from './client.ts';
import { useReadable } from './hooks.ts';

export interface Face {
  readonly name: string | null;
  readonly avatar: string | null;
}

interface Known {
  readonly face: Value<Face>;
  asked: number; // milliseconds since 1970; 0: never
}

const ASKING_MAX = 4;
const PICTURES_MAX = 300;
const NOBODY: Face = { name: null, avatar: null };
const NO_FACE: Readable<Face> = new Value(NOBODY);

const known = new Map<Handle, Known>();
const queue: Handle[] = [];
let asking = 0;

function entryOf(handle: Handle): Known {
  let entry = known.get(handle);
  if (!entry) {
    entry = { face: new Value(NOBODY), asked: 0 };
    known.set(handle, entry);
  }
  return entry;
}

function askNext(): void {
  while (asking < ASKING_MAX) {
    const handle = queue.shift();
    if (handle === undefined) return;
    asking++;
    client.people
      .profile(handle)
      .then((profile) => learn(handle, profile))
      .catch(() => {
        entryOf(handle).asked = 0; // whoever is shown the user next asks again
      })
      .finally(() => {
        asking--;
        askNext();
      });
  }
}

/** What somebody else has found out, such as a search. */
export function learn(handle: Handle, face: Face): void {
  const entry = entryOf(handle);
  const old = entry.face.get();
  entry.asked = Date.now();
  if (old.name !== face.name || old.avatar !== face.avatar) {
    entry.face.set({ name: face.name, avatar: face.avatar });
  }
}

export function faceOf(handle: Handle): Readable<Face> {
  if (handle === '') return NO_FACE;
  const entry = entryOf(handle);
  if (Date.now() - entry.asked > limits.PROFILE_FRESH_MS) {
    entry.asked = Date.now();
    queue.push(handle);
    askNext();
  }
  return entry.face;
}

export function forgetFaces(): void {
  known.clear();
  for (const url of pictures.values()) URL.revokeObjectURL(url);
  pictures.clear();
}

export const nameOf = (handle: Handle) => faceOf(handle).get().name ?? handle;

export function useName(handle: Handle): string {
  return useReadable(faceOf(handle)).name ?? handle;
}

/** The names of several; a rendering when one becomes known. */
export function useNames(handles: readonly Handle[]): readonly string[] {
  const [, render] = useState({});
  useEffect(() => {
    const ends = handles.map((handle) => faceOf(handle).subscribe(() => render({})));
    return () => ends.forEach((end) => end());
  }, [handles.join(' ')]);
  return handles.map(nameOf);
}

/** What a conversation is called. */
export function useTitle(conversation: Conversation | undefined, self: Handle): string {
  const other = conversation?.user ?? self;
  const name = useName(other);
  if (!conversation) return '';
  if (conversation.kind === 'direct') return other === self ? 'Notes to self' : name;
  return conversation.title ?? conversation.name ?? 'Untitled';
}

// ---------------------------------------------------------------- pictures

const pictures = new Map<string, string>(); // handle and picture's id -> blob: URL

async function loadPicture(handle: Handle, key: string): Promise<string | null> {
  const picture = await client.people.avatar(handle);
  if (!picture) return null;
  const present = pictures.get(key);
  if (present !== undefined) return present;
  const url = URL.createObjectURL(
    new Blob([picture.bytes as Uint8Array<ArrayBuffer>], { type: picture.type }),
  );
  pictures.set(key, url);
  if (pictures.size > PICTURES_MAX) {
    const [oldest, oldUrl] = pictures.entries().next().value ?? ['', ''];
    pictures.delete(oldest);
    URL.revokeObjectURL(oldUrl);
  }
  return url;
}

/** The picture's address for an <img>, or null. */
export function usePicture(handle: Handle | null): string | null {
  const face = useReadable(faceOf(handle ?? ''));
  const key = handle !== null && face.avatar !== null ? `${handle} ${face.avatar}` : null;
  const [loaded, setLoaded] = useState<{ key: string; url: string } | null>(null);
  useEffect(() => {
    if (key === null || handle === null) return;
    let current = true;
    loadPicture(handle, key).then(
      (url) => current && url !== null && setLoaded({ key, url }),
      () => {}, // the initials do
    );
    return () => {
      current = false;
    };
  }, [key]);
  if (key === null) return null;
  return pictures.get(key) ?? (loaded?.key === key ? loaded.url : null);
}
