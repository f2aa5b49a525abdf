// SPDX-License-Identifier: MIT
// Every number that bounds something. Those of the contract stand in docs/protocol.md; the others
// are this library's choices, each with its reason.

// ---- the contract's
export const TEXT_MAX_CHARACTERS = 100_000;
export const EMOJI_MAX_CHARACTERS = 8;
export const PAGE_MAX_ENTRIES = 1_000;
export const PRESENCE_MAX_WATCHES = 1_000;
/** Subscriptions that one connection makes in its life. */
export const FILTERS_PER_CONNECTION = 10_000;
export const SYNC_MAX_CURSORS = 10_000;
/** Typing, presence and cursor signals: at once, and per second. */
export const SIGNALS_PER_SECOND = 20;
/** How long "is typing" holds. */
export const TYPING_HOLDS_MS = 6_000;
export const UNREAD_MAX = 100;
export const PREVIEW_MAX_CHARACTERS = 100;
export const REACTION_MAX_EMOJIS = 20;
export const REACTION_MAX_USERS = 10;

// ---- connections
/** Waits before attempts are drawn from 0 to a bound that doubles, from the first to the last. */
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_LAST_MS = 60_000;
/** A connection that lasted so long makes the next wait a first one again. */
export const CONNECTION_STABLE_MS = 10_000;
export const CONNECT_TIMEOUT_MS = 15_000;
/** From CONNACK to `me/ready`. */
export const READY_TIMEOUT_MS = 15_000;
/** A dead connection is found within one and a half of these. */
export const KEEP_ALIVE_SECONDS = 30;
export const HTTP_TIMEOUT_MS = 30_000;
/** Servers that are remembered besides the one that the program names. */
export const SERVERS_FOUND_MAX = 16;
export const SERVER_ADDRESS_MAX_CHARACTERS = 1_024;
/** While servers fail, others are asked for no more often. */
export const SERVERS_FRESH_MS = 10_000;
/** A sync that fails so often, in about a quarter of a minute, may work on another server. */
export const SYNC_TRIES = 7;
/** For what may be megabytes, on a slow network. */
export const HTTP_LARGE_TIMEOUT_MS = 180_000;
/** An access token is renewed so long before it expires; the broker warns a minute later. */
export const RENEW_BEFORE_MS = 120_000;

// ---- the outbox
/** Drafts of one conversation without a receipt; enough for 300 a second at 50 ms. */
export const OUTBOX_FLYING_PER_LANE = 16;
export const OUTBOX_FLYING_MAX = 64;
/** Of these, publishes that the broker has not acknowledged; brokers allow 20 without saying. */
export const UNACKNOWLEDGED_MAX = 16;
/** Bytes in flight, about: five of the longest texts. */
export const OUTBOX_FLYING_CHARACTERS = 500_000;
/** Waits after refusals in passing grow up to this: people wait for their messages. */
export const OUTBOX_BACKOFF_LAST_MS = 15_000;
/** A draft without a receipt is sent again. */
export const RECEIPT_TIMEOUT_MS = 20_000;
/** More drafts than this are not taken: `limit_reached`. */
export const OUTBOX_MAX_DRAFTS = 1_000;

// ---- the log
/** Entries per conversation that one sync brings. */
export const SYNC_ENTRIES = 20;
/** Entries of one page, scrolling back. */
export const PAGE_ENTRIES = 100;
/** Pages that one `loadOlder` reads at most while they hold hardly anything but reactions. */
export const PAGES_PER_LOAD = 10;
/** Messages that one `loadOlder` would like to show. */
export const LOAD_MIN_ITEMS = 20;
/** Who missed more of a conversation than this goes on with its newest entries. */
export const GAP_MAX_ENTRIES = 1_000;
/** Entries of one conversation that came before their time and wait for those between. */
export const EARLY_MAX_ENTRIES = 1_000;
/** Gaps that are being filled at once. */
export const FILLS_MAX = 4;
/** A day, as retentions count them. */
export const DAY_MS = 86_400_000;
/** Entries of one conversation that are kept for reading without a connection. */
export const STORED_MAX_ENTRIES = 500;
/** Messages that are kept after being asked for one by one. */
export const MESSAGE_CACHE_MAX = 200;
/** What `around` shows on each side. */
export const AROUND_ENTRIES = 25;

// ---- signals
/** How long cursors rest before they are said. */
export const CURSOR_REST_MS = 700;
/** "Is typing" is said again so often while it lasts... */
export const TYPING_REPEAT_MS = 3_000;
/** ...and taken back after so long without a key. */
export const TYPING_IDLE_MS = 5_000;
/** How long a user is watched after the last one here has looked away. */
export const PRESENCE_LINGER_MS = 5_000;

// ---- the store
/** Changes are gathered so long and then written in one batch. */
export const FLUSH_AFTER_MS = 150;
/** Profiles are asked for again after this. */
export const PROFILE_FRESH_MS = 300_000;
export const PROFILE_CACHE_MAX = 1_000;
/** How often drafts of tabs that are gone are looked for. */
export const ADOPT_EVERY_MS = 30_000;
/** Tabs of one browser profile, each a device of its own. */
export const TABS_MAX = 32;
