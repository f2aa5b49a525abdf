/* SPDX-License-Identifier: MIT */
/* head.h - what a member sees of a conversation apart from its log, as columns and as JSON. */
#ifndef BANTER_BRIDGE_CORE_HEAD_H
#define BANTER_BRIDGE_CORE_HEAD_H

#include "base/uuid.h"

#include <libpq-fe.h>

struct buf;

/* The select list, from a row of banter.conversation_heads called h, and the columns it gives. */
#define HEAD_COLUMNS                                                                               \
    "h.kind, h.title, h.peer, h.role, h.last_seq, h.received_seq, h.read_seq, h.muted_until,"      \
    " h.name, h.public, h.joining_role"
/* As many, for a branch of a UNION that has none of them. */
#define HEAD_COLUMNS_NULL "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"

/* One more column: how many texts of others come after what the member has read; counting ends at
 * LIMIT, which is SQL. Deleted ones need not be read. */
#define HEAD_UNREAD(LIMIT)                                                                         \
    "(SELECT count(*)"                                                                             \
    "   FROM (SELECT FROM banter.messages m"                                                       \
    "          WHERE m.conversation = h.conversation AND m.seq > h.read_seq"                       \
    "            AND m.kind = 1 AND m.text IS NOT NULL AND m.sender <> h.user_id"                  \
    "          ORDER BY m.seq LIMIT " LIMIT ") n)"

enum head_column {
    HEAD_COLUMN_KIND,
    HEAD_COLUMN_TITLE,
    HEAD_COLUMN_PEER,
    HEAD_COLUMN_ROLE,
    HEAD_COLUMN_LAST_SEQ,
    HEAD_COLUMN_RECEIVED,
    HEAD_COLUMN_READ,
    HEAD_COLUMN_MUTED_UNTIL,
    HEAD_COLUMN_NAME, /* this one and the next two: channels */
    HEAD_COLUMN_PUBLIC,
    HEAD_COLUMN_JOINING_ROLE,
    HEAD_COLUMN_COUNT,
};

/* "conversation":…,"kind":…,"title" or (direct) "user":…,"role":…,"last_seq":…,"received":…,
 * "read":…,"muted_until":… (if muted), what only channels have, and "limits":{…}, without braces.
 * `first` is the number of the column HEAD_COLUMN_KIND. */
void head_write(struct buf *b, const struct uuid *conversation, const PGresult *result, int row,
                int first, unsigned group_members_max);

#endif
