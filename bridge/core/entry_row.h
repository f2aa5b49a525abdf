/* SPDX-License-Identifier: MIT */
/* entry_row.h - one row of a query that reads entries, in the column order that all of them keep.
 */
#ifndef BANTER_BRIDGE_ENTRY_ROW_H
#define BANTER_BRIDGE_ENTRY_ROW_H

#include "db/db.h"
#include "wire/entry.h"

/* Columns from `first` on. SQL lists them in this order. */
enum entry_column {
    ENTRY_COLUMN_SEQ,
    ENTRY_COLUMN_AT,
    ENTRY_COLUMN_KIND,
    ENTRY_COLUMN_FROM,
    ENTRY_COLUMN_ID,
    ENTRY_COLUMN_TEXT,
    ENTRY_COLUMN_REPLY_TO,
    ENTRY_COLUMN_DATA,
    ENTRY_COLUMN_TARGET,
    ENTRY_COLUMN_COUNT,
};

/* Slices borrow from `result`. */
static inline struct entry entry_of_row(const PGresult *result, int row, int first,
                                        const struct uuid *conversation)
{
    return (struct entry){
        .conversation = *conversation,
        .seq = db_get_i64(result, row, first + ENTRY_COLUMN_SEQ),
        .at_ms = db_get_time_ms(result, row, first + ENTRY_COLUMN_AT),
        .kind = (enum entry_kind)db_get_i64(result, row, first + ENTRY_COLUMN_KIND),
        .from = db_get_text(result, row, first + ENTRY_COLUMN_FROM),
        .id = db_get_text(result, row, first + ENTRY_COLUMN_ID),
        .text = db_get_text(result, row, first + ENTRY_COLUMN_TEXT),
        .reply_to = db_get_i64(result, row, first + ENTRY_COLUMN_REPLY_TO),
        .data = db_get_text(result, row, first + ENTRY_COLUMN_DATA),
        .target = db_get_i64(result, row, first + ENTRY_COLUMN_TARGET),
    };
}

#endif
