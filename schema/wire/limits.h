/* SPDX-License-Identifier: MIT */
/* limits.h - every limit that clients can meet, once. docs/protocol.md repeats them for people. */
#ifndef BANTER_WIRE_LIMITS_H
#define BANTER_WIRE_LIMITS_H

enum {
    HANDLE_MIN_LENGTH = 2,
    HANDLE_MAX_LENGTH = 32,
    DEVICE_MAX_LENGTH = 32,
    CLIENT_ID_MAX_LENGTH = HANDLE_MAX_LENGTH + 1 + DEVICE_MAX_LENGTH,
    DRAFT_ID_MAX_CHARACTERS = 64,
    DRAFT_ID_MAX_BYTES = 4 * DRAFT_ID_MAX_CHARACTERS,
    TEXT_MAX_CHARACTERS = 100000, /* Unicode code points */
    TEXT_MAX_BYTES = 4 * TEXT_MAX_CHARACTERS,
    EMOJI_MAX_CHARACTERS = 8,      /* code points: one family with its joiners */
    READER_DRAFT_MAX_BYTES = 1024, /* a reaction by a reader of a channel, as JSON */
    PACKET_MAX_BYTES = 1 << 20,    /* mosquitto max_packet_size, and the HTTP body limit */
    PAYLOAD_MAX_BYTES = PACKET_MAX_BYTES,
    JSON_MAX_DEPTH = 16,
    TITLE_MAX_CHARACTERS = 128,
    NAME_MAX_CHARACTERS = 128,
    EMAIL_MAX_LENGTH = 254,
    PASSWORD_MIN_LENGTH = 8,      /* bytes */
    PASSWORD_MAX_LENGTH = 256,    /* bytes */
    TOKEN_MAX_LENGTH = 4096,      /* bytes of a JWT */
    COMMANDS_MAX_COUNT = 100,     /* commands in one envelope */
    CORRELATION_MAX_LENGTH = 128, /* bytes of correlationData and of MQTT Correlation Data */
    RESPONSE_TOPIC_MAX_LENGTH = 256,
    GROUP_MEMBERS_DEFAULT = 100,
    GROUP_MEMBERS_CEILING = 1000,
    CHANNEL_MEMBERS_MAX = 1000000,
    INVITE_SECONDS_MAX = 366 * 86400,
    INVITE_USES_MAX = 1000000,
    HISTORY_LIMIT_DEFAULT = 50,
    HISTORY_LIMIT_MAX = 1000,
    SYNC_LIMIT_DEFAULT = 50, /* entries per conversation */
    SYNC_LIMIT_MAX = 1000,
    SYNC_CONVERSATIONS_MAX = 10000,
    SYNC_PREVIEW_SPAN = 1000, /* newest entries among which the folded view's preview is */
    EDITS_MAX = 100,          /* of one message */
    /* Of a message in the folded view: */
    REACTIONS_SHOWN = 20,
    REACTION_USERS_SHOWN = 10,        /* of each */
    FOLDED_DATA_MAX_BYTES = 10 << 10, /* edited_at and reactions */
    HISTORY_FOLD_SPAN = 10000,        /* seqs that one page looks through */
    UNREAD_MAX = 100,                 /* counting stops here */
    PREVIEW_CHARACTERS = 100,
    LIST_LIMIT_DEFAULT = 50,
    LIST_LIMIT_MAX = 1000,
    SEARCH_MAX_CHARACTERS = 256,
    PUSH_REGISTRATIONS_MAX = 20,    /* of one user; the least recently used go */
    PUSH_ADDRESS_MAX_LENGTH = 2048, /* bytes of a token or URL */
    AVATAR_MAX_BYTES = PACKET_MAX_BYTES,
    AVATAR_SIDE_MAX = 4096, /* pixels */
};

#endif
