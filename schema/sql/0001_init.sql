-- SPDX-License-Identifier: MIT
-- 0001_init.sql - users, conversations, members and the log.
-- Every hot table carries the conversation, so that it can be the distribution column of a sharded PostgreSQL.
-- Hash partitions keep each index small and let autovacuum work on one part at a time. Four: every statement opens
-- all of them, and with 16 a batch of one draft cost a third more processor time.

CREATE TABLE banter.users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle        text COLLATE "C" NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9][a-z0-9._-]{1,31}$'),
    name          text,
    email         text,
    password_hash text,
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    disabled_at   timestamptz(3)
);
COMMENT ON TABLE banter.users IS 'Rows are never deleted, so that a handle is never reused.';

CREATE TABLE banter.conversations (
    id         uuid PRIMARY KEY,
    kind       smallint NOT NULL CHECK (kind IN (1, 2, 3)), -- direct, group, channel
    title      text,
    created_by bigint NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    last_seq   bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0)
) WITH (fillfactor = 50); -- last_seq is updated by every batch: keep those updates HOT

CREATE TABLE banter.members (
    conversation uuid NOT NULL,
    user_id      bigint NOT NULL,
    role         smallint NOT NULL CHECK (role BETWEEN 1 AND 4), -- reader, member, admin, owner
    joined_seq   bigint NOT NULL DEFAULT 0,  -- the conversation's last_seq when the user joined
    joined_at    timestamptz(3) NOT NULL DEFAULT now(),
    received_seq bigint NOT NULL DEFAULT 0,
    read_seq     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, user_id)
);
CREATE INDEX members_by_user ON banter.members (user_id, conversation);

CREATE TABLE banter.messages (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL CHECK (seq > 0),
    sender       bigint NOT NULL,
    at           timestamptz(3) NOT NULL,
    kind         smallint NOT NULL,
    reply_to     bigint,
    id           text COLLATE "C",  -- the sender's draft id; NULL for entries made by the server
    text         text COLLATE "C",
    data         text COLLATE "C",  -- a JSON object with the members of kinds other than text
    PRIMARY KEY (conversation, seq),
    UNIQUE (conversation, sender, id)
) PARTITION BY HASH (conversation);

DO $$
BEGIN
    FOR part IN 0..3 LOOP
        EXECUTE format('CREATE TABLE banter.messages_%s PARTITION OF banter.messages '
                       'FOR VALUES WITH (MODULUS 4, REMAINDER %s)', part, part);
    END LOOP;
END
$$;

-- Batches of one writer travel in a pipeline: the server runs the next transaction even if the one before it failed.
-- Each batch therefore begins by checking that the batch it follows has committed. The session remembers the number
-- of its last batch, and forgets it again when that batch's transaction rolls back.
CREATE FUNCTION banter.follow_batch(previous bigint, current bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('banter.batch', true) IS DISTINCT FROM previous::text THEN
        RAISE EXCEPTION 'batch % was not committed', previous USING ERRCODE = 'BT001';
    END IF;
    PERFORM set_config('banter.batch', current::text, false);
END
$$;

CREATE TABLE banter.quarantine (
    at           timestamptz(3) NOT NULL DEFAULT now(),
    sender       bigint NOT NULL,
    target       text NOT NULL,
    sqlstate     text NOT NULL,
    payload      bytea NOT NULL
);
COMMENT ON TABLE banter.quarantine IS 'Drafts that passed every check and that PostgreSQL still refused: a bug to look at.';
