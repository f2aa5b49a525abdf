/* SPDX-License-Identifier: MIT */
/* app_writer.h - the writer and those who have to know of each other's work. */
#ifndef BANTER_BRIDGE_APP_WRITER_H
#define BANTER_BRIDGE_APP_WRITER_H

struct herald;
struct indexer;
struct ingest;
struct push_service;

/* All borrowed. */
struct app_writer {
    struct ingest *ingest;
    struct herald *herald;
    struct indexer *indexer;
    struct push_service *push;
};

/* From now on index and push are told of what is stored, the index gives way, and the writer is
 * told of what others change. `w` stays where it is until these are destroyed. */
void app_connect_writer(struct app_writer *w);

#endif
