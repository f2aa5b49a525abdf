-- SPDX-License-Identifier: MIT
-- 0021_erasure.sql - what is held about a user, as an export; and its end, of which can be shown that nothing is left.
--
-- An erased user's row stays, as that of an anonymous author: what the log needs to stay dense and to say that two
-- entries are by the same author. Everything that tells who it was goes: at once what is in the row and what opens
-- doors (begin_erasure), then, slice by slice, done by the bridge's chores, all the rest. Each slice is a transaction
-- that also says how far it has come (banter.erasures), so it goes on after any crash, and doing it again does no harm.
--
-- The handle is never given to anybody else: ids of direct conversations are made of handles. What remembers it is a
-- keyed hash.
--
-- What erases runs with the rights of the schema's owner: it may do what the role of a bridge need not, such as changing
-- entries' ids, rewriting the planner's samples, and reading which transactions there are.
--
-- Lock order: a row of banter.erasures, then as ever.

-- ---------------------------------------------------------------- what is personal

-- Every column of every table, and what becomes of it when a user is erased. A migration that makes a column adds its
-- row: tests/integration/test_erasure_columns.py compares this table with the catalog.
CREATE TABLE banter.columns (
    table_name  name NOT NULL,
    column_name name NOT NULL,
    fate        text NOT NULL CHECK (fate IN (
        'none',    -- says nothing about a user
        'author',  -- the number of the row in banter.users, which is an anonymous author's from then on
        'blank',   -- overwritten at once
        'delete',  -- the user's number: rows that have it are deleted
        'row',     -- goes with its row
        'entry',   -- erased conversation by conversation
        'forget',  -- overwritten where the user's number is (banter.audit_forget())
        'job',     -- what the erasure itself needs, until its end
        'expires'  -- numbers and random ids only, and gone by themselves after a bounded time
    )),
    PRIMARY KEY (table_name, column_name)
);

INSERT INTO banter.columns (table_name, column_name, fate)
SELECT c.table_name, unnest(string_to_array(c.names, ' ')), c.fate
  FROM (VALUES
    ('audit', 'id key at node actor operator action result', 'none'),
    ('audit', 'actor_id user_id', 'author'),
    ('audit', 'object address detail', 'forget'),
    ('blocks', 'blocker blocked', 'delete'),
    ('blocks', 'created_at', 'row'),
    ('bulletins', 'node incarnation number at', 'none'),
    ('bulletins', 'body', 'expires'),
    ('channels', 'conversation name public joining_role member_count', 'none'),
    ('chores', 'conversation chore position', 'none'),
    ('cluster_key', 'only_one key', 'none'),
    ('columns', 'table_name column_name fate', 'none'),
    ('conversations', 'id kind title created_at last_seq deleted_at rights', 'none'),
    ('conversations', 'created_by', 'author'),
    ('edits', 'conversation target seqs', 'none'),
    ('ended_logins', 'id user_id ended_at', 'expires'),
    ('erased_handles', 'hash', 'none'),
    ('erasure_count', 'only_one begun', 'none'),
    ('erasure_key', 'only_one key', 'none'),
    ('erasures', 'user_id', 'author'),
    ('erasures', 'handle avatar registrations heir', 'job'),
    ('erasures', 'id begun_at earlier due_at finished_at stage position found conversation phase head seq changed '
                 'passes conversations entries rows', 'none'),
    ('invites', 'created_by', 'delete'),
    ('invites', 'id hash conversation created_at expires_at uses_left', 'row'),
    ('login_sessions', 'user_id', 'delete'),
    ('login_sessions', 'id device generation secret_hash previous_hash retry_hash rotated_at created_at expires_at',
                       'row'),
    ('members', 'conversation role', 'none'),
    ('members', 'user_id', 'author'),
    ('members', 'joined_seq joined_at received_seq read_seq muted_until', 'entry'),
    ('messages', 'conversation seq at kind reply_to target', 'none'),
    ('messages', 'sender', 'author'),
    ('messages', 'id text data', 'entry'),
    ('migrations', 'number name sha256 applied_at', 'none'),
    ('nodes', 'name incarnation lease_until renewed_at ended left_as left_number first number applied about', 'none'),
    ('push_dead', 'registration conversation provider bulk from_seq seq attempts reason created_at died_at', 'row'),
    ('push_jobs', 'registration conversation provider bulk from_seq seq attempts lease due_at created_at', 'row'),
    ('push_outbox', 'id conversation seq sender from_seq position', 'expires'),
    ('push_registrations', 'user_id', 'delete'),
    ('push_registrations', 'id login device provider address p256dh auth secret app created_at used_at', 'row'),
    ('quarantine', 'sender', 'delete'),
    ('quarantine', 'at target sqlstate payload', 'row'),
    ('reactions', 'conversation target first_seq count', 'none'),
    ('reactions', 'emoji', 'entry'),
    ('reactors', 'conversation target seq removed', 'none'),
    ('reactors', 'emoji user_id', 'entry'),
    ('retentions', 'conversation days erased_seq due_at', 'none'),
    ('search', 'conversation seq text_seq at', 'none'),
    ('search', 'sender words', 'entry'),
    ('search_progress', 'conversation indexed_seq', 'none'),
    ('users', 'id', 'author'),
    ('users', 'handle name email password_hash created_at disabled_at last_seen hidden email_visibility '
              'last_seen_visibility avatar avatar_type', 'blank')
  ) AS c (table_name, names, fate);

-- Samples of what columns hold are kept for the planner, and refreshed at the end of each erasure; small ones do where
-- nothing is planned by them. Those of a table that has become empty are not refreshed: where that may be, none are taken.
ALTER TABLE banter.messages ALTER COLUMN id SET STATISTICS 1, ALTER COLUMN text SET STATISTICS 1,
                            ALTER COLUMN data SET STATISTICS 1;
ALTER TABLE banter.search ALTER COLUMN words SET STATISTICS 10;
ALTER TABLE banter.login_sessions ALTER COLUMN id SET STATISTICS 0, ALTER COLUMN device SET STATISTICS 0;
ALTER TABLE banter.push_dead ALTER COLUMN registration SET STATISTICS 0, ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE banter.push_registrations
    ALTER COLUMN id SET STATISTICS 0, ALTER COLUMN login SET STATISTICS 0,
    ALTER COLUMN device SET STATISTICS 0, ALTER COLUMN address SET STATISTICS 0, ALTER COLUMN p256dh SET STATISTICS 0,
    ALTER COLUMN auth SET STATISTICS 0, ALTER COLUMN secret SET STATISTICS 0, ALTER COLUMN app SET STATISTICS 0;
ALTER TABLE banter.quarantine ALTER COLUMN target SET STATISTICS 0, ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE banter.reactions ALTER COLUMN emoji SET STATISTICS 0;
ALTER TABLE banter.reactors ALTER COLUMN emoji SET STATISTICS 0;

-- ---------------------------------------------------------------- the work to do

-- A receipt in the end: then everything that it needed is gone from it.
CREATE TABLE banter.erasures (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       bigint NOT NULL UNIQUE,
    begun_at      timestamptz(3) NOT NULL DEFAULT now(),
    finished_at   timestamptz(3),
    handle        text COLLATE "C",               -- the old one, to be looked for in what others did
    avatar        uuid,                           -- a blob that is to be removed
    registrations uuid[],                         -- of pushes
    stage         smallint NOT NULL DEFAULT 1,    -- of banter.erasure_step()
    due_at        timestamptz(3) NOT NULL DEFAULT now(),
    earlier       text[],                         -- transactions that may have begun before
    position      uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- conversations up to it are done
    found         bigint NOT NULL DEFAULT 0,      -- in this pass over all conversations
    conversation  uuid,                           -- the one under way, and how far that is:
    phase         smallint NOT NULL DEFAULT 1,
    head          bigint NOT NULL DEFAULT 0,      -- nothing of the user's comes after it
    seq           bigint NOT NULL DEFAULT 0,      -- entries of the server's up to it are done; or tables (stage 7)
    heir          text COLLATE "C",               -- who owns it now, to be told
    changed       boolean NOT NULL DEFAULT false,
    passes        integer NOT NULL DEFAULT 0,     -- over all conversations
    conversations bigint NOT NULL DEFAULT 0,      -- how many there were,
    entries       bigint NOT NULL DEFAULT 0,      -- entries in them,
    rows          bigint NOT NULL DEFAULT 0,      -- and rows of other tables
    CHECK ((handle IS NULL) = (finished_at IS NOT NULL)),
    CHECK (finished_at IS NULL OR num_nonnulls(avatar, registrations, earlier, conversation) = 0)
);
CREATE INDEX erasures_due ON banter.erasures (due_at) WHERE finished_at IS NULL;
ALTER TABLE banter.erasures ALTER COLUMN handle SET STATISTICS 0;

CREATE TABLE banter.erasure_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea NOT NULL
);
INSERT INTO banter.erasure_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- How many have begun. A replica on which it is less may still show the handle of somebody who is nobody any more.
CREATE TABLE banter.erasure_count (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    begun    bigint NOT NULL DEFAULT 0
);
INSERT INTO banter.erasure_count DEFAULT VALUES;

CREATE TABLE banter.erased_handles (
    hash bytea PRIMARY KEY -- SHA-256 of the key and the handle
);

CREATE FUNCTION banter.handle_hash(handle text) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(k.key || convert_to(handle, 'UTF8')) FROM banter.erasure_key k
$$;

-- What exports and erasures look for.
CREATE INDEX blocks_by_blocked ON banter.blocks (blocked);
CREATE INDEX ended_logins_by_user ON banter.ended_logins (user_id, ended_at);
CREATE INDEX invites_by_creator ON banter.invites (created_by, created_at, id);

-- The entries that the server made are few, and the only ones where others name a user.
CREATE INDEX messages_made ON banter.messages (conversation, seq) WHERE kind >= 10;

-- ---------------------------------------------------------------- what changes elsewhere

-- As before, but a handle that was erased, or that looks like an anonymous author's, is taken. Looked up after the
-- insert, which waits for an erasure that is about to commit, and taken back by the error.
CREATE OR REPLACE FUNCTION banter.create_account(new_handle text, new_name text, new_email text, new_password_hash text,
                                                 session_id uuid, session_device text, new_hash bytea, ttl interval)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO banter.users (handle, name, email, password_hash)
    VALUES (new_handle, new_name, new_email, new_password_hash)
    ON CONFLICT (handle) DO NOTHING
    RETURNING id INTO made;
    IF made IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM banter.erased_handles e WHERE e.hash = banter.handle_hash(new_handle);
    IF FOUND OR starts_with(new_handle, 'erased-') THEN
        RAISE EXCEPTION 'this handle is taken for ever' USING ERRCODE = 'BN005';
    END IF;
    PERFORM banter.begin_login(made, session_id, session_device, new_hash, ttl);
    RETURN made;
EXCEPTION
    WHEN SQLSTATE 'BN005' THEN
        RETURN NULL;
END
$$;

DROP FUNCTION banter.begin_login(bigint, uuid, text, bytea, interval);

-- Begins a session, and ends the user's expired ones and, beyond 100, the least recently used. False: the account has
-- been disabled meanwhile. It cannot be before this commits.
CREATE FUNCTION banter.begin_login(owner_id bigint, session_id uuid, session_device text, new_hash bytea,
                                   ttl interval)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM banter.users u WHERE u.id = owner_id AND u.disabled_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM banter.login_sessions
     WHERE user_id = owner_id
       AND (expires_at < now()
            OR id IN (SELECT s.id FROM banter.login_sessions s WHERE s.user_id = owner_id
                       ORDER BY s.rotated_at DESC OFFSET 99));
    INSERT INTO banter.login_sessions (id, user_id, device, secret_hash, expires_at)
    VALUES (session_id, owner_id, session_device, new_hash, now() + ttl);
    RETURN true;
END
$$;

-- As before, but not of users who have been erased: what a bridge has kept until now would bring something back.
CREATE OR REPLACE FUNCTION banter.move_cursors(user_ids bigint[], conversations uuid[], received bigint[], read bigint[])
RETURNS TABLE (ord bigint, kind smallint, received_seq bigint, read_seq bigint, moved boolean, busy boolean)
LANGUAGE sql AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.ord, w.user_id, w.conversation, c.kind,
               least(greatest(w.received, w.read), c.last_seq) AS received, least(w.read, c.last_seq) AS read
          FROM unnest(user_ids, conversations, received, read) WITH ORDINALITY
               AS w (user_id, conversation, received, read, ord)
          JOIN banter.conversations c ON c.id = w.conversation
         WHERE NOT EXISTS (SELECT FROM banter.erasures e WHERE e.user_id = w.user_id)
    ), held AS MATERIALIZED (
        SELECT w.ord
          FROM wanted w
          JOIN banter.members m ON m.conversation = w.conversation AND m.user_id = w.user_id
         WHERE m.received_seq < w.received OR m.read_seq < w.read
           FOR NO KEY UPDATE OF m SKIP LOCKED
    ), moved AS (
        UPDATE banter.members m
           SET received_seq = greatest(m.received_seq, w.received), read_seq = greatest(m.read_seq, w.read)
          FROM wanted w
          JOIN held h ON h.ord = w.ord
         WHERE m.conversation = w.conversation AND m.user_id = w.user_id
        RETURNING w.ord, m.received_seq, m.read_seq
    )
    SELECT w.ord, w.kind, coalesce(v.received_seq, m.received_seq), coalesce(v.read_seq, m.read_seq),
           v.ord IS NOT NULL,
           v.ord IS NULL AND (m.received_seq < w.received OR m.read_seq < w.read)
      FROM wanted w
      JOIN banter.members m ON m.conversation = w.conversation AND m.user_id = w.user_id
      LEFT JOIN moved v ON v.ord = w.ord
     ORDER BY w.ord
$$;

-- As before, but of users who have been erased no more than banter.audit_forget() leaves.
CREATE OR REPLACE FUNCTION banter.audit_write(seen_by text, keys uuid[], times bigint[], kinds text[], actors bigint[],
                                              actions text[], users bigint[], objects text[], addresses text[],
                                              results text[], details text[])
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO banter.audit (key, at, node, actor, actor_id, action, user_id, object, address, result, detail)
    SELECT w.key, to_timestamp(w.at / 1000.0), seen_by, w.actor, w.actor_id, w.action, w.user_id,
           CASE WHEN e.erased THEN NULL ELSE w.object END, CASE WHEN e.erased THEN NULL ELSE w.address END, w.result,
           CASE WHEN e.erased THEN NULL ELSE w.detail END
      FROM unnest(keys, times, kinds, actors, actions, users, objects, addresses, results, details) WITH ORDINALITY
           AS w (key, at, actor, actor_id, action, user_id, object, address, result, detail, ord)
     CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM banter.erasures x
                                         WHERE x.user_id IN (w.actor_id, w.user_id))) e (erased)
     ORDER BY w.ord
    ON CONFLICT (key) DO NOTHING
$$;

-- ---------------------------------------------------------------- the beginning

-- From the commit on the user is nobody: no name, no password, no login, no device that is told of anything. Returns
-- the receipt's id with each login that this has ended; one row without a login if there was none, as when the erasure
-- was begun before. No row: no such user.
CREATE FUNCTION banter.begin_erasure(owner_id bigint) RETURNS TABLE (erasure uuid, login uuid, ended_at timestamptz(3))
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner banter.users;
BEGIN
    SELECT u.* INTO owner FROM banter.users u WHERE u.id = owner_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.id INTO erasure FROM banter.erasures e WHERE e.user_id = owner_id;
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO banter.erased_handles (hash) VALUES (banter.handle_hash(owner.handle));
    INSERT INTO banter.erasures (user_id, handle, avatar, registrations)
    VALUES (owner_id, owner.handle, owner.avatar,
            ARRAY(SELECT r.id FROM banter.push_registrations r WHERE r.user_id = owner_id))
    RETURNING id INTO erasure;
    UPDATE banter.users u SET handle = 'erased-' || left(translate(gen_random_uuid()::text, '-', ''), 12)
     WHERE u.id = owner_id;
    PERFORM banter.blank_user(owner_id);
    UPDATE banter.erasure_count SET begun = begun + 1;
    DELETE FROM banter.push_registrations r WHERE r.user_id = owner_id;
    RETURN QUERY
        WITH ended AS (
            DELETE FROM banter.login_sessions s WHERE s.user_id = owner_id RETURNING s.id
        )
        SELECT erasure, e.id, clock_timestamp()::timestamptz(3) FROM (VALUES (1)) one (n) LEFT JOIN ended e ON true;
END
$$;

-- Overwrites all columns of a user but the number and the handle. Returns the blob that nobody needs any more, or NULL.
CREATE FUNCTION banter.blank_user(owner_id bigint) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    old_avatar uuid;
BEGIN
    SELECT u.avatar INTO old_avatar FROM banter.users u WHERE u.id = owner_id FOR UPDATE;
    UPDATE banter.users u
       SET name = NULL, email = NULL, password_hash = NULL, created_at = now(), disabled_at = now(), last_seen = NULL,
           hidden = false, email_visibility = 0, last_seen_visibility = 0, avatar = NULL, avatar_type = NULL
     WHERE u.id = owner_id;
    RETURN old_avatar;
END
$$;

-- ---------------------------------------------------------------- one conversation

-- The data of an entry that the server made, as it is to be when `old_handle` has been erased; `own`: by that user.
-- What titles and names were is the author's text; what they are now belongs to the conversation.
CREATE FUNCTION banter.anonymous_data(kind smallint, data text, own boolean, old_handle text, new_handle text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    object json := data;
BEGIN
    CASE
        WHEN data IS NULL THEN
            RETURN NULL;
        WHEN kind IN (10, 11, 12) THEN
            RETURN '{' || CASE WHEN own THEN '' ELSE coalesce('"title":' || (object -> 'title')::text || ',', '') END
                || banter.members_json(array_replace(ARRAY(SELECT json_array_elements_text(object -> 'members')),
                                                     old_handle, new_handle)) || '}';
        WHEN kind IN (13, 19) AND object ->> 'owner' = old_handle THEN
            RETURN '{"owner":"' || new_handle || '"}';
        WHEN kind = 16 AND object ->> 'user' = old_handle THEN
            RETURN '{"user":"' || new_handle || '","role":' || (object -> 'role')::text || '}';
        WHEN kind = 15 AND own THEN
            RETURN '{"deleted":true}';
        WHEN kind = 17 AND own AND (object -> 'name') IS NOT NULL THEN
            RETURN (data::jsonb - 'name')::text;
        ELSE
            RETURN data;
    END CASE;
END
$$;

-- The entries of a conversation that the server made and that have to be changed, `slice` of them at most, in their
-- order from behind `after` on.
CREATE FUNCTION banter.entries_naming(conversation_id uuid, owner_id bigint, old_handle text, after bigint,
                                      slice integer)
RETURNS TABLE (seq bigint, data text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT e.seq, e.became
          FROM (SELECT m.seq, m.data,
                       banter.anonymous_data(m.kind, m.data, m.sender = owner_id, old_handle, u.handle) AS became
                  FROM banter.messages m, banter.users u
                 WHERE m.conversation = conversation_id AND m.kind >= 10 AND m.seq > after AND u.id = owner_id
                   AND (m.sender = owner_id OR strpos(m.data, '"' || old_handle || '"') > 0)) e
         WHERE e.became <> e.data
         ORDER BY e.seq LIMIT slice;
END
$$;

-- Whether anything of the user is left to be erased in this conversation.
CREATE FUNCTION banter.has_traces(conversation_id uuid, conversation_kind smallint, owner_id bigint, old_handle text)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM banter.messages m
                    WHERE m.conversation = conversation_id AND m.sender = owner_id AND m.id IS NOT NULL)
        OR EXISTS (SELECT FROM banter.members m
                    WHERE m.conversation = conversation_id AND m.user_id = owner_id
                      AND (conversation_kind <> 1 OR m.role > 1 OR m.read_seq > 0 OR m.received_seq > 0
                           OR m.muted_until IS NOT NULL))
        OR (conversation_kind <> 1
            AND EXISTS (SELECT FROM banter.entries_naming(conversation_id, owner_id, old_handle, 0, 1)));
END
$$;

-- The end of a conversation, under its lock.
CREATE FUNCTION banter.end_conversation(conversation_id uuid) RETURNS banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    ended banter.effect;
BEGIN
    UPDATE banter.conversations c SET deleted_at = now(), title = NULL WHERE c.id = conversation_id
    RETURNING c.id, c.kind, c.last_seq INTO ended.conversation, ended.conversation_kind, ended.seq;
    INSERT INTO banter.search_progress (conversation, indexed_seq) VALUES (conversation_id, ended.seq)
    ON CONFLICT (conversation) DO UPDATE SET indexed_seq = ended.seq; -- nobody indexes it any more
    DELETE FROM banter.invites i WHERE i.conversation = conversation_id;
    DELETE FROM banter.chores o WHERE o.conversation = conversation_id;
    INSERT INTO banter.chores (conversation, chore) VALUES (conversation_id, 1);
    RETURN ended;
END
$$;

-- As before: written with the above.
CREATE OR REPLACE FUNCTION banter.delete_conversation(actor_id bigint, conversation_id uuid)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF banter.lock_group(actor_id, conversation_id) < 4 THEN
        RAISE EXCEPTION 'only owners delete a conversation' USING ERRCODE = 'BN003';
    END IF;
    RETURN NEXT banter.end_conversation(conversation_id);
END
$$;

-- Who goes on in a conversation when the user is gone: in a direct one all stay, as readers; elsewhere the membership
-- ends, and an owner's place passes on as banter.leave() has it; a channel in which nobody could have it goes on without.
CREATE FUNCTION banter.erase_member(conversation_id uuid, conversation_kind smallint, owner_id bigint)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    old_role smallint;
    heir_id  bigint;
BEGIN
    IF conversation_kind = 1 THEN
        UPDATE banter.members m
           SET received_seq = 0, read_seq = 0, muted_until = NULL, joined_at = c.created_at
          FROM banter.conversations c
         WHERE m.conversation = conversation_id AND m.user_id = owner_id AND c.id = conversation_id;
        RETURN QUERY
            WITH changed AS (
                UPDATE banter.members m SET role = 1 WHERE m.conversation = conversation_id AND m.role <> 1
                RETURNING m.user_id
            )
            SELECT e.* FROM changed c CROSS JOIN LATERAL banter.member_effect(conversation_id, c.user_id, 1, NULL) e;
        RETURN;
    END IF;
    PERFORM FROM banter.channels ch WHERE ch.conversation = conversation_id FOR NO KEY UPDATE;
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = owner_id
    RETURNING m.role INTO old_role;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN NEXT banter.member_effect(conversation_id, owner_id, 0, NULL);
    IF conversation_kind = 3 THEN
        PERFORM banter.count_members(conversation_id, -1);
    END IF;
    IF old_role = 4 AND conversation_kind = 2 THEN
        heir_id := banter.hand_over(conversation_id);
    ELSIF old_role = 4 THEN
        UPDATE banter.members m SET role = 4
         WHERE m.conversation = conversation_id AND m.role = 3
           AND m.user_id = (SELECT o.user_id FROM banter.members o
                             WHERE o.conversation = conversation_id AND o.role >= 3
                             ORDER BY o.role DESC, o.joined_at, o.user_id
                             LIMIT 1)
        RETURNING m.user_id INTO heir_id;
    END IF;
    IF heir_id IS NOT NULL THEN
        RETURN NEXT banter.member_effect(conversation_id, heir_id, 4, NULL);
    END IF;
END
$$;

-- Whether a group or channel has a member left who is not erased as well.
CREATE FUNCTION banter.is_anybody_left(conversation_id uuid, owner_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM banter.members m
                    WHERE m.conversation = conversation_id AND m.user_id <> owner_id
                      AND NOT EXISTS (SELECT FROM banter.erasures e WHERE e.user_id = m.user_id))
$$;

-- Empties the next `slice` entries that the user posted, with what was made of them. How many there were.
CREATE FUNCTION banter.erase_texts(conversation_id uuid, owner_id bigint, slice integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    erased     integer;
    reacted_to bigint[];
BEGIN
    WITH page AS MATERIALIZED (
        SELECT m.seq, m.kind, m.target, m.text
          FROM banter.messages m
         WHERE m.conversation = conversation_id AND m.sender = owner_id AND m.id IS NOT NULL
         LIMIT slice
    ), emptied AS (
        UPDATE banter.messages m
           SET id = NULL, text = NULL, data = CASE WHEN m.kind <> 3 THEN '{"deleted":true}' END
         WHERE m.conversation = conversation_id AND m.seq = ANY (ARRAY(SELECT p.seq FROM page p))
    ), unfound AS (
        DELETE FROM banter.search s
         WHERE s.conversation = conversation_id AND s.seq = ANY (ARRAY(SELECT p.seq FROM page p WHERE p.kind = 1))
    ), taken_back AS (
        DELETE FROM banter.reactors r
         USING (SELECT DISTINCT p.target, p.text AS emoji FROM page p WHERE p.kind = 4) p
         WHERE r.conversation = conversation_id AND r.target = p.target AND r.emoji = p.emoji AND r.user_id = owner_id
        RETURNING r.target, r.emoji, r.removed
    ), uncounted AS (
        UPDATE banter.reactions n SET count = n.count - 1
          FROM taken_back t
         WHERE n.conversation = conversation_id AND n.target = t.target AND n.emoji = t.emoji AND NOT t.removed
    )
    SELECT count(*), array_agg(p.target) FILTER (WHERE p.kind = 4) INTO erased, reacted_to FROM page p;
    DELETE FROM banter.reactions r
     WHERE r.conversation = conversation_id AND r.target = ANY (reacted_to) AND r.count = 0
       AND NOT EXISTS (SELECT FROM banter.reactors o
                        WHERE o.conversation = conversation_id AND o.target = r.target AND o.emoji = r.emoji);
    RETURN erased;
END
$$;

-- The next slice of an erasure's work on the conversation that it is at, under the lock of that conversation.
CREATE FUNCTION banter.erase_author(conversation_id uuid, slice integer) RETURNS SETOF banter.effect
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    job   banter.erasures;
    place banter.conversations;
    told  banter.effect;
    done  integer;
BEGIN
    SELECT e.* INTO job
      FROM banter.erasures e
     WHERE e.conversation = conversation_id AND e.finished_at IS NULL AND e.due_at <= now()
     ORDER BY e.begun_at LIMIT 1
       FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE banter.conversations c SET rights = pg_current_xact_id()
     WHERE c.id = conversation_id AND c.deleted_at IS NULL
    RETURNING c.* INTO place;
    IF NOT FOUND THEN
        job.phase := 5; -- erased as a whole
    END IF;
    IF job.phase = 1 THEN -- the membership, after which nothing can come
        FOR told IN
            SELECT e.* FROM banter.erase_member(conversation_id, place.kind, job.user_id) e
        LOOP
            job.changed := job.changed OR place.kind < 3;
            IF told.role = 4 THEN
                job.heir := told.handle;
            END IF;
            RETURN NEXT told;
        END LOOP;
        job.head := place.last_seq;
        job.phase := 2;
        IF place.kind <> 1 AND NOT banter.is_anybody_left(conversation_id, job.user_id) THEN
            RETURN NEXT banter.end_conversation(conversation_id);
            job.phase := 5;
        END IF;
    ELSIF job.phase = 2 THEN -- what is being indexed must not bring words back
        PERFORM FROM banter.messages m
          WHERE m.conversation = conversation_id AND m.seq <= job.head AND m.sender = job.user_id AND m.kind IN (1, 2)
            AND m.seq > coalesce((SELECT p.indexed_seq FROM banter.search_progress p
                                   WHERE p.conversation = conversation_id), 0);
        IF FOUND THEN
            job.due_at := now() + interval '200 ms';
        ELSE
            job.phase := 3;
        END IF;
    ELSIF job.phase = 3 THEN
        done := banter.erase_texts(conversation_id, job.user_id, slice);
        job.entries := job.entries + done;
        job.changed := job.changed OR done > 0;
        IF done < slice THEN
            job.phase := 4;
            job.seq := 0;
        END IF;
    ELSIF job.phase = 4 THEN
        WITH page AS MATERIALIZED (
            SELECT n.seq, n.data
              FROM banter.entries_naming(conversation_id, job.user_id, job.handle, job.seq, slice) n
        ), changed AS (
            UPDATE banter.messages m SET data = p.data
              FROM page p WHERE m.conversation = conversation_id AND m.seq = p.seq
        )
        SELECT count(*), coalesce(max(p.seq), job.seq) INTO done, job.seq FROM page p;
        job.entries := job.entries + done;
        job.changed := job.changed OR done > 0;
        IF done < slice THEN
            IF job.changed THEN
                RETURN NEXT banter.append_entry(conversation_id, job.user_id,
                    (SELECT u.handle FROM banter.users u WHERE u.id = job.user_id), 19,
                    '{"owner":"' || job.heir || '"}');
            END IF;
            job.phase := 5;
        END IF;
    END IF;
    UPDATE banter.erasures e
       SET phase = CASE WHEN job.phase = 5 THEN 1 ELSE job.phase END,
           conversation = CASE WHEN job.phase < 5 THEN conversation_id END,
           conversations = e.conversations + (job.phase = 5)::integer,
           head = job.head, seq = job.seq, due_at = job.due_at, entries = job.entries,
           heir = CASE WHEN job.phase < 5 THEN job.heir END,
           changed = job.changed AND job.phase < 5
     WHERE e.id = job.id;
END
$$;

-- ---------------------------------------------------------------- everything else

-- Deletes the rows of other tables, `slice` of each at most. How many, of the one with the most.
CREATE FUNCTION banter.erase_rows(job banter.erasures, slice integer, OUT most bigint, OUT total bigint)
LANGUAGE plpgsql AS $$
DECLARE
    rule   banter.columns;
    erased bigint;
BEGIN
    most := 0;
    total := 0;
    FOR rule IN SELECT c.* FROM banter.columns c WHERE c.fate = 'delete' ORDER BY c.table_name, c.column_name LOOP
        EXECUTE format('DELETE FROM banter.%I WHERE ctid = ANY (ARRAY(SELECT ctid FROM banter.%I WHERE %I = $1 LIMIT $2))',
                       rule.table_name, rule.table_name, rule.column_name)
          USING job.user_id, slice;
        GET DIAGNOSTICS erased = ROW_COUNT;
        most := greatest(most, erased);
        total := total + erased;
    END LOOP;
    total := total + banter.audit_forget(job.user_id);
    DELETE FROM banter.push_jobs j WHERE j.registration = ANY (job.registrations);
    DELETE FROM banter.push_dead d WHERE d.registration = ANY (job.registrations);
    UPDATE banter.quarantine q SET target = '@' || (SELECT u.handle FROM banter.users u WHERE u.id = job.user_id)
     WHERE q.target = '@' || job.handle;
END
$$;

-- Whether a conversation that is being deleted as a whole still has something of the user's.
CREATE FUNCTION banter.is_ending_with_traces(job banter.erasures) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM banter.chores o
                     JOIN banter.conversations c ON c.id = o.conversation
                    WHERE o.chore = 1 AND banter.has_traces(o.conversation, c.kind, job.user_id, job.handle))
$$;

-- What is left of a user, as PLACE and how many rows there are, or 1: nothing, or the erasure has not come to its end.
CREATE FUNCTION banter.erasure_leftovers(job banter.erasures) RETURNS TABLE (place text, count bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    rule banter.columns;
BEGIN
    FOR rule IN SELECT c.* FROM banter.columns c WHERE c.fate = 'delete' LOOP
        place := rule.table_name || '.' || rule.column_name;
        EXECUTE format('SELECT count(*) FROM banter.%I WHERE %I = $1', rule.table_name, rule.column_name)
           INTO count USING job.user_id;
        IF count > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT 'users', count(*) FROM banter.users u
         WHERE u.id = job.user_id
           AND (num_nonnulls(u.name, u.email, u.password_hash, u.last_seen, u.avatar) > 0 OR u.disabled_at IS NULL
                OR u.handle = job.handle)
        HAVING count(*) > 0;
    RETURN QUERY
        SELECT 'audit', count(*) FROM banter.audit a
         WHERE (a.actor_id = job.user_id OR a.user_id = job.user_id) AND num_nonnulls(a.object, a.address, a.detail) > 0
        HAVING count(*) > 0;
    RETURN QUERY
        SELECT 'conversations that end', 1::bigint WHERE banter.is_ending_with_traces(job);
END
$$;

-- The next step of an erasure that is at no conversation.
--
-- A transaction that looked at the user before the erasure began may commit something afterwards. So nothing is looked
-- for before those that may have begun so early have ended; from then on nothing new can come.
--
-- What has to be waited for has stages of its own (2 and 6), which look at that and do nothing else.
CREATE FUNCTION banter.erasure_step(erasure_id uuid, slice integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    no_conversation constant uuid := '00000000-0000-0000-0000-000000000000';
    job     banter.erasures;
    page    uuid[];
    erased  record;
    samples text;
BEGIN
    SELECT e.* INTO job
      FROM banter.erasures e
     WHERE e.id = erasure_id AND e.finished_at IS NULL AND e.conversation IS NULL AND e.due_at <= now()
       FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    CASE job.stage
        WHEN 1 THEN
            job.earlier := ARRAY(
                SELECT l.virtualtransaction
                  FROM pg_locks l
                  JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE l.virtualxid = l.virtualtransaction AND l.pid <> pg_backend_pid()
                   AND a.datname = current_database() AND a.application_name LIKE 'banter-%');
            job.stage := 2;
        WHEN 2 THEN
            PERFORM FROM pg_locks l
              WHERE l.virtualxid = l.virtualtransaction AND l.virtualtransaction = ANY (job.earlier);
            IF FOUND THEN
                job.due_at := now() + interval '200 ms';
            ELSE
                job.stage := 3;
            END IF;
        WHEN 3 THEN -- first where the user is a member
            SELECT m.conversation INTO job.conversation
              FROM banter.members m
              JOIN banter.conversations c ON c.id = m.conversation AND c.deleted_at IS NULL
             WHERE m.user_id = job.user_id AND m.conversation > job.position
             ORDER BY m.conversation LIMIT 1;
            IF FOUND THEN
                job.position := job.conversation;
            ELSE
                job.position := no_conversation;
                job.stage := 4;
            END IF;
        WHEN 4 THEN -- then everywhere, until a whole pass finds nothing
            page := ARRAY(SELECT c.id FROM banter.conversations c WHERE c.id > job.position ORDER BY c.id LIMIT slice);
            SELECT c.id INTO job.conversation
              FROM banter.conversations c
             WHERE c.id = ANY (page) AND c.deleted_at IS NULL
               AND banter.has_traces(c.id, c.kind, job.user_id, job.handle)
             ORDER BY c.id LIMIT 1;
            IF FOUND THEN
                job.found := job.found + 1;
                job.position := job.conversation;
            ELSIF cardinality(page) > 0 THEN
                job.position := page[cardinality(page)];
            ELSE
                job.stage := CASE WHEN job.found > 0 THEN 4 ELSE 5 END;
                job.passes := job.passes + 1;
                job.position := no_conversation;
                job.found := 0;
            END IF;
        WHEN 5 THEN
            erased := banter.erase_rows(job, slice);
            job.rows := job.rows + erased.total;
            IF erased.most < slice THEN
                job.stage := 6;
            END IF;
        WHEN 6 THEN
            IF job.avatar IS NOT NULL THEN
                job.due_at := now() + interval '200 ms'; -- the blob goes first: there may be one more
            ELSIF banter.is_ending_with_traces(job) THEN
                job.due_at := now() + interval '1 s';
            ELSE
                job.avatar := banter.blank_user(job.user_id);
                IF job.avatar IS NULL THEN
                    job.stage := 7;
                    job.seq := 0;
                END IF;
            END IF;
        WHEN 7 THEN -- the planner's samples, one table after the other
            SELECT format('ANALYZE banter.%I', c.table_name)
                   || CASE WHEN c.table_name <> 'users' THEN ' (' || string_agg(quote_ident(c.column_name), ', ') || ')'
                      ELSE '' END
              INTO samples
              FROM banter.columns c
             WHERE c.fate IN ('blank', 'row', 'entry')
             GROUP BY c.table_name ORDER BY c.table_name OFFSET job.seq LIMIT 1;
            IF FOUND THEN
                EXECUTE samples;
                job.seq := job.seq + 1;
            ELSE
                job.stage := 8;
            END IF;
        WHEN 8 THEN
            PERFORM FROM banter.erasure_leftovers(job);
            IF FOUND THEN
                job.stage := 3;
                job.due_at := now() + interval '1 s';
            ELSE
                job.handle := NULL;
                job.registrations := NULL;
                job.earlier := NULL;
                job.finished_at := clock_timestamp();
            END IF;
    END CASE;
    UPDATE banter.erasures e
       SET stage = job.stage, due_at = job.due_at, earlier = job.earlier, position = job.position, found = job.found,
           conversation = job.conversation, passes = job.passes, rows = job.rows, avatar = job.avatar, seq = job.seq,
           handle = job.handle, registrations = job.registrations, finished_at = job.finished_at
     WHERE e.id = job.id;
END
$$;

-- The file of an erased user's picture has been removed.
CREATE FUNCTION banter.erasure_blob_removed(blob uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE banter.erasures SET avatar = NULL WHERE avatar = blob
$$;

-- What one may know who has the receipt's id.
CREATE VIEW banter.erasure_receipts AS
    SELECT e.id AS erasure, u.handle AS author, e.begun_at, e.finished_at, e.conversations, e.entries, e.rows, e.passes
      FROM banter.erasures e
      JOIN banter.users u ON u.id = e.user_id;

-- ---------------------------------------------------------------- export

-- One line of an export: `object` with its type, and the place behind it.
CREATE FUNCTION banter.export_line(kind text, place text, object json) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT '{"type":' || to_json(kind) || ',"cursor":"' || place || '"'
           || coalesce(',' || nullif(substr(json_strip_nulls(object)::text, 2), '}'), '}')
$$;

CREATE FUNCTION banter.export_time(at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- What is in the user's row and in tables that hang on it: few lines, all on one page.
CREATE FUNCTION banter.export_account(owner_id bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT banter.export_line('profile', 'account', json_build_object(
                   'user', u.handle, 'name', u.name, 'email', u.email, 'created_at', banter.export_time(u.created_at),
                   'last_seen', banter.export_time(u.last_seen), 'hidden', u.hidden,
                   'email_visibility', (ARRAY['nobody', 'contacts', 'everyone'])[u.email_visibility + 1],
                   'last_seen_visibility', (ARRAY['nobody', 'contacts', 'everyone'])[u.last_seen_visibility + 1],
                   'avatar', u.avatar))
          FROM banter.users u WHERE u.id = owner_id;
    RETURN QUERY
        SELECT banter.export_line('login', 'account', json_build_object(
                   'login', s.id, 'device', s.device, 'created_at', banter.export_time(s.created_at),
                   'last_used_at', banter.export_time(s.rotated_at), 'expires_at', banter.export_time(s.expires_at)))
          FROM banter.login_sessions s WHERE s.user_id = owner_id ORDER BY s.created_at, s.id;
    RETURN QUERY
        SELECT banter.export_line('ended_login', 'account', json_build_object(
                   'login', e.id, 'ended_at', banter.export_time(e.ended_at)))
          FROM banter.ended_logins e WHERE e.user_id = owner_id ORDER BY e.ended_at DESC, e.id LIMIT 10000;
    RETURN QUERY
        SELECT banter.export_line('push_registration', 'account', json_build_object(
                   'registration', r.id, 'provider', (ARRAY['fcm', 'apns', 'web', 'webhook'])[r.provider + 1],
                   'device', r.device, 'address', r.address, 'app', r.app,
                   'created_at', banter.export_time(r.created_at), 'used_at', banter.export_time(r.used_at)))
          FROM banter.push_registrations r WHERE r.user_id = owner_id ORDER BY r.created_at, r.id;
    RETURN QUERY
        SELECT banter.export_line('block', 'account', json_build_object(
                   'user', u.handle, 'created_at', banter.export_time(b.created_at)))
          FROM banter.blocks b JOIN banter.users u ON u.id = b.blocked
         WHERE b.blocker = owner_id ORDER BY b.created_at, u.handle;
    RETURN QUERY
        SELECT banter.export_line('invite', 'account', json_build_object(
                   'invite', i.id, 'conversation', i.conversation, 'created_at', banter.export_time(i.created_at),
                   'expires_at', banter.export_time(i.expires_at), 'uses_left', i.uses_left))
          FROM banter.invites i WHERE i.created_by = owner_id ORDER BY i.created_at, i.id LIMIT 10000;
    RETURN QUERY
        SELECT banter.export_line('draft', 'account', json_build_object(
                   'at', banter.export_time(q.at), 'target', q.target, 'sqlstate', q.sqlstate,
                   'payload', encode(q.payload, 'escape')))
          FROM banter.quarantine q WHERE q.sender = owner_id ORDER BY q.at LIMIT 100;
END
$$;

-- The memberships behind `after`.
CREATE FUNCTION banter.export_members(owner_id bigint, after uuid, slice integer)
RETURNS TABLE (line text, place text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT banter.export_line('membership', p.place, p.object), p.place
          FROM (SELECT 'members:' || h.conversation AS place, json_build_object(
                           'conversation', h.conversation,
                           'kind', (ARRAY['direct', 'group', 'channel'])[h.kind], 'title', h.title, 'name', h.name,
                           'user', h.peer, 'role', (ARRAY['reader', 'member', 'admin', 'owner'])[h.role],
                           'joined_at', banter.export_time(m.joined_at), 'received', h.received_seq,
                           'read', h.read_seq, 'muted_until', banter.export_time(h.muted_until)) AS object
                  FROM banter.conversation_heads h
                  JOIN banter.members m ON m.conversation = h.conversation AND m.user_id = h.user_id
                 WHERE h.user_id = owner_id AND h.conversation > after
                 ORDER BY h.conversation LIMIT slice) p;
END
$$;

-- Of the next `span` entries of a conversation those that the user made, or that name the user: at most `slice`, and no
-- more once their texts come to 256 KiB. The last row says how far this has come; its place is NULL at the end of the
-- log.
CREATE FUNCTION banter.export_entries(owner_id bigint, owner_handle text, conversation_id uuid, after bigint, span bigint,
                                      slice integer)
RETURNS TABLE (line text, place text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    head  bigint;
    given bigint := 0;
    upto  bigint := after;
BEGIN
    SELECT c.last_seq INTO head FROM banter.conversations c WHERE c.id = conversation_id;
    FOR line, upto IN
        SELECT banter.export_line('entry', 'entries:' || conversation_id || ':' || e.seq, json_build_object(
                   'conversation', conversation_id, 'seq', e.seq, 'at', banter.export_time(e.at), 'from', u.handle,
                   'kind', CASE e.kind WHEN 1 THEN 'text' WHEN 2 THEN 'edit' WHEN 3 THEN 'delete' WHEN 4 THEN 'reaction'
                                       WHEN 10 THEN 'created' WHEN 11 THEN 'members_added' WHEN 12 THEN 'member_removed'
                                       WHEN 13 THEN 'member_left' WHEN 15 THEN 'renamed' WHEN 16 THEN 'role_changed'
                                       WHEN 17 THEN 'modified' WHEN 18 THEN 'joined' WHEN 19 THEN 'member_erased' END,
                   'id', e.id, 'text', CASE WHEN e.kind <> 4 THEN e.text END,
                   'emoji', CASE WHEN e.kind = 4 THEN e.text END, 'target', e.target, 'reply_to', e.reply_to,
                   'data', e.data::json)), e.seq
          FROM (SELECT m.*, sum(coalesce(octet_length(m.text), 0))
                            OVER (ORDER BY m.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
                  FROM banter.messages m
                 WHERE m.conversation = conversation_id AND m.seq > after AND m.seq <= after + span
                   AND (m.sender = owner_id OR (m.kind >= 10 AND strpos(m.data, '"' || owner_handle || '"') > 0))
                 ORDER BY m.seq LIMIT slice) e
          JOIN banter.users u ON u.id = e.sender
         WHERE e.bytes IS NULL OR e.bytes < 256 * 1024
         ORDER BY e.seq
    LOOP
        place := 'entries:' || conversation_id || ':' || upto;
        given := given + 1;
        RETURN NEXT;
    END LOOP;
    line := NULL;
    IF given = 0 THEN
        place := CASE WHEN after + span < head THEN 'entries:' || conversation_id || ':' || after + span END;
        RETURN NEXT;
    END IF;
END
$$;

-- One page of what is held about a user, as lines of JSON each with its place, from behind `cursor` on ('': from the
-- beginning). A row without a line is a place to go on from, and one without either the end. Memberships come in the
-- order of conversations, entries in that of conversations and seq, so that whoever was interrupted goes on anywhere.
CREATE FUNCTION banter.export_page(owner_id bigint, cursor text, slice integer)
RETURNS TABLE (line text, place text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    part     text[] := regexp_match(cursor, '^(account|members|entries)'
                                            '(?::([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?(?::([0-9]{1,18}))?$');
    owner    banter.users;
    position uuid;
    page     uuid[];
    chosen   uuid;
BEGIN
    IF cursor <> '' AND part IS NULL THEN
        RAISE EXCEPTION 'this cursor is not one of ours' USING ERRCODE = 'BN001';
    END IF;
    SELECT u.* INTO owner FROM banter.users u WHERE u.id = owner_id;
    position := coalesce(part[2]::uuid, '00000000-0000-0000-0000-000000000000');
    IF cursor = '' THEN
        RETURN QUERY SELECT e, 'account' FROM banter.export_account(owner_id) e;
        RETURN QUERY SELECT NULL, 'account';
    ELSIF part[1] IN ('account', 'members') THEN
        RETURN QUERY SELECT e.* FROM banter.export_members(owner_id, position, slice) e;
        IF NOT FOUND THEN
            RETURN QUERY SELECT NULL, 'entries';
        END IF;
    ELSIF part[3] IS NOT NULL THEN
        FOR line, place IN
            SELECT e.* FROM banter.export_entries(owner_id, owner.handle, position, part[3]::bigint, 20 * slice, slice) e
        LOOP
            place := coalesce(place, 'entries:' || position);
            RETURN NEXT;
        END LOOP;
    ELSE
        page := ARRAY(SELECT c.id FROM banter.conversations c WHERE c.id > position ORDER BY c.id LIMIT slice);
        SELECT c.id INTO chosen
          FROM banter.conversations c
         WHERE c.id = ANY (page)
           AND (EXISTS (SELECT FROM banter.messages m WHERE m.conversation = c.id AND m.sender = owner_id)
                OR EXISTS (SELECT FROM banter.messages m
                            WHERE m.conversation = c.id AND m.kind >= 10
                              AND strpos(m.data, '"' || owner.handle || '"') > 0))
         ORDER BY c.id LIMIT 1;
        IF chosen IS NOT NULL THEN
            RETURN QUERY SELECT NULL, 'entries:' || chosen || ':0';
        ELSIF cardinality(page) > 0 THEN
            RETURN QUERY SELECT NULL, 'entries:' || page[cardinality(page)];
        ELSE
            RETURN QUERY SELECT NULL, NULL;
        END IF;
    END IF;
END
$$;
