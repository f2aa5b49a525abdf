-- SPDX-License-Identifier: MIT
-- 0004_conversation_life.sql - channels, roles, titles, invites, mutes, blocks, and the end of a conversation.
--
-- Lock order: the advisory lock of blocks, rows of banter.conversations by id, the row of banter.channels. Who joins or
-- leaves a channel locks the channel's row alone, and so never waits for the writer; every other change of a channel's
-- members locks both. Nothing here costs more in a large channel than in a small one; what must touch every member
-- is a chore, done afterwards in slices. The functions that end a conversation name tables of later migrations.
--
-- BN005 is conflict; the other refusals are those of 0002_commands.sql.

ALTER TABLE banter.conversations ADD COLUMN deleted_at timestamptz(3);
COMMENT ON COLUMN banter.conversations.deleted_at IS 'The row stays, so that neither id nor name is used again.';

ALTER TABLE banter.members ADD COLUMN muted_until timestamptz(3);

-- The few of a channel who may inherit it.
CREATE INDEX members_in_charge ON banter.members (conversation, role) WHERE role >= 3;

CREATE TABLE banter.channels (
    conversation uuid PRIMARY KEY,
    name         text COLLATE "C" UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{1,31}$'),
    public       boolean NOT NULL,  -- whether anybody may join who knows its id or name
    joining_role smallint NOT NULL CHECK (joining_role IN (1, 2)), -- reader: admins post; member: all post
    member_count bigint NOT NULL CHECK (member_count >= 0)
) WITH (fillfactor = 50); -- each join and leave updates member_count: keep those updates HOT

CREATE TABLE banter.invites (
    hash         bytea PRIMARY KEY, -- SHA-256 of the token
    conversation uuid NOT NULL,
    created_by   bigint NOT NULL,
    created_at   timestamptz(3) NOT NULL DEFAULT now(),
    expires_at   timestamptz(3),    -- NULL: never
    uses_left    integer CHECK (uses_left >= 0) -- NULL: any number
);
CREATE INDEX invites_by_conversation ON banter.invites (conversation);

CREATE TABLE banter.blocks (
    blocker    bigint NOT NULL,
    blocked    bigint NOT NULL CHECK (blocked <> blocker),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (blocker, blocked)
);
COMMENT ON TABLE banter.blocks IS 'While there is one between two users, both are readers of their direct conversation.';

CREATE TABLE banter.chores (
    conversation uuid NOT NULL,
    chore        smallint NOT NULL CHECK (chore IN (1, 2)), -- erase what was deleted; give members their new role
    position     bigint NOT NULL DEFAULT 0,                 -- of 2: the last user_id done
    PRIMARY KEY (conversation, chore)
);
COMMENT ON TABLE banter.chores IS 'Work on every member or entry of a conversation, done in slices by the bridge.';

-- The role of both in the direct conversation of two users.
CREATE FUNCTION banter.direct_role(uid_a bigint, uid_b bigint) RETURNS smallint
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM banter.blocks b WHERE b.blocker = uid_a AND b.blocked = uid_b)
                  OR EXISTS (SELECT FROM banter.blocks b WHERE b.blocker = uid_b AND b.blocked = uid_a)
                THEN 1 ELSE 2 END::smallint
$$;

-- ---------------------------------------------------------------- what changes in 0002_commands.sql

-- As before, but for the blocks, which must not change until the new conversations' roles are committed.
CREATE OR REPLACE FUNCTION banter.ensure_direct(conversations uuid[], handles_a text[], handles_b text[])
RETURNS TABLE (ord bigint, conversation uuid, uid_a bigint, uid_b bigint, created boolean)
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock_shared(hashtext('banter.blocks'));
    WITH wanted AS MATERIALIZED (
        SELECT w.ord, w.conversation, a.id AS uid_a, b.id AS uid_b
          FROM unnest(conversations, handles_a, handles_b) WITH ORDINALITY
               AS w (conversation, handle_a, handle_b, ord)
          JOIN banter.users a ON a.handle = w.handle_a AND a.disabled_at IS NULL
          JOIN banter.users b ON b.handle = w.handle_b AND b.disabled_at IS NULL
    ), made AS (
        INSERT INTO banter.conversations (id, kind, created_by)
        SELECT DISTINCT ON (w.conversation) w.conversation, 1, w.uid_a
          FROM wanted w
         WHERE NOT EXISTS (SELECT FROM banter.conversations c WHERE c.id = w.conversation)
         ORDER BY w.conversation, w.ord -- the lock order
        ON CONFLICT DO NOTHING
        RETURNING id
    ), joined AS (
        INSERT INTO banter.members (conversation, user_id, role)
        SELECT DISTINCT w.conversation, u.id, banter.direct_role(w.uid_a, w.uid_b)
          FROM wanted w
          JOIN made m ON m.id = w.conversation
         CROSS JOIN LATERAL (VALUES (w.uid_a), (w.uid_b)) u (id)
    )
    SELECT w.ord, w.conversation, w.uid_a, w.uid_b,
           m.id IS NOT NULL AND row_number() OVER (PARTITION BY w.conversation ORDER BY w.ord) = 1
      FROM wanted w
      LEFT JOIN made m ON m.id = w.conversation
     ORDER BY w.ord
$$;

-- Locks a group or channel against every change of its members and returns the actor's role in it. To those outside, a
-- conversation that exists looks like one that does not; so does one that was deleted.
CREATE OR REPLACE FUNCTION banter.lock_group(actor_id bigint, conversation_id uuid) RETURNS smallint
LANGUAGE plpgsql AS $$
DECLARE
    found_kind smallint;
    found_role smallint;
BEGIN
    SELECT c.kind INTO found_kind
      FROM banter.conversations c WHERE c.id = conversation_id AND c.deleted_at IS NULL FOR NO KEY UPDATE;
    IF found_kind = 3 THEN
        PERFORM FROM banter.channels ch WHERE ch.conversation = conversation_id FOR NO KEY UPDATE;
    END IF;
    SELECT m.role INTO found_role
      FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF found_kind IS NULL OR found_role IS NULL THEN
        RAISE EXCEPTION 'no such conversation, or you are not a member of it' USING ERRCODE = 'BN004';
    END IF;
    IF found_kind = 1 THEN
        RAISE EXCEPTION 'this cannot be done to a direct conversation' USING ERRCODE = 'BN003';
    END IF;
    RETURN found_role;
END
$$;

-- Keeps count of a channel's members; its row is locked by this if it was not before.
CREATE FUNCTION banter.count_members(conversation_id uuid, change integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    members_max constant integer := 1000000; -- CHANNEL_MEMBERS_MAX in schema/wire/limits.h
    counted     bigint;
BEGIN
    UPDATE banter.channels ch SET member_count = ch.member_count + change
     WHERE ch.conversation = conversation_id
    RETURNING ch.member_count INTO STRICT counted;
    IF change > 0 AND counted > members_max THEN
        RAISE EXCEPTION 'a channel has at most % members', members_max USING ERRCODE = 'BN007';
    END IF;
END
$$;

-- A membership as an effect. `since` NULL: the conversation's last_seq.
CREATE FUNCTION banter.member_effect(conversation_id uuid, member_id bigint, member_role integer, since bigint)
RETURNS banter.effect
LANGUAGE sql STABLE AS $$
    SELECT c.id, c.kind, NULL::smallint, u.id, u.handle, member_role::smallint, coalesce(since, c.last_seq),
           NULL::timestamptz(3), NULL::text
      FROM banter.conversations c, banter.users u
     WHERE c.id = conversation_id AND u.id = member_id
$$;

-- Nobody brings those together who do not want it; who it is stays unsaid.
CREATE FUNCTION banter.refuse_blocked(actor_id bigint, handles text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM banter.blocks b
       JOIN banter.users u ON u.id = b.blocker
      WHERE b.blocked = actor_id AND u.handle = ANY (handles);
    IF FOUND THEN
        RAISE EXCEPTION 'you cannot add all of these users' USING ERRCODE = 'BN003';
    END IF;
END
$$;

-- The actor becomes the owner; naming the actor among `handles` changes nothing. `members_max` counts everybody.
CREATE OR REPLACE FUNCTION banter.create_group(actor_id bigint, conversation_id uuid, group_title text,
                                               handles text[], members_max integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    others     text[] := ARRAY(SELECT n.handle FROM banter.users_named(handles) n WHERE n.user_id <> actor_id
                                ORDER BY n.ord);
    entry      banter.effect;
BEGIN
    IF 1 + cardinality(others) > members_max THEN
        RAISE EXCEPTION 'a group has at most % members', members_max USING ERRCODE = 'BN007';
    END IF;
    PERFORM banter.refuse_blocked(actor_id, others);
    INSERT INTO banter.conversations (id, kind, title, created_by) VALUES (conversation_id, 2, group_title, actor_id);
    INSERT INTO banter.members (conversation, user_id, role)
    SELECT conversation_id, u.id, CASE WHEN u.id = actor_id THEN 4 ELSE 2 END
      FROM banter.users u
     WHERE u.handle = ANY (own_handle || others);
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 10,
        '{' || coalesce('"title":' || to_json(group_title) || ',', '') || banter.members_json(others) || '}');
    RETURN QUERY
        SELECT m.conversation, entry.conversation_kind, NULL::smallint, m.user_id, u.handle, m.role, entry.seq - 1,
               NULL::timestamptz(3), NULL::text
          FROM banter.members m
          JOIN banter.users u ON u.id = m.user_id
         WHERE m.conversation = conversation_id;
    RETURN NEXT entry;
END
$$;

-- Those who are members already stay as they are; if all are, nothing happens. In a channel it is no entry.
CREATE OR REPLACE FUNCTION banter.add_members(actor_id bigint, conversation_id uuid, handles text[],
                                              members_max integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    channel    banter.channels;
    head       bigint;
    added      text[];
    entry      banter.effect;
BEGIN
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins add members' USING ERRCODE = 'BN003';
    END IF;
    added := ARRAY(
        SELECT n.handle
          FROM banter.users_named(handles) n
         WHERE NOT EXISTS (SELECT FROM banter.members m
                            WHERE m.conversation = conversation_id AND m.user_id = n.user_id)
         ORDER BY n.ord);
    IF cardinality(added) = 0 THEN
        RETURN;
    END IF;
    PERFORM banter.refuse_blocked(actor_id, added);
    SELECT * INTO channel FROM banter.channels ch WHERE ch.conversation = conversation_id;
    IF FOUND THEN
        PERFORM banter.count_members(conversation_id, cardinality(added));
        SELECT c.last_seq INTO head FROM banter.conversations c WHERE c.id = conversation_id;
    ELSIF cardinality(added) + (SELECT count(*) FROM banter.members m WHERE m.conversation = conversation_id)
          > members_max THEN
        RAISE EXCEPTION 'a group has at most % members', members_max USING ERRCODE = 'BN007';
    ELSE
        entry := banter.append_entry(conversation_id, actor_id, own_handle, 11,
                                     '{' || banter.members_json(added) || '}');
        head := entry.seq - 1;
    END IF;
    RETURN QUERY
        WITH joined AS (
            INSERT INTO banter.members (conversation, user_id, role, joined_seq, received_seq, read_seq)
            SELECT conversation_id, u.id, coalesce(channel.joining_role, 2), head, head, head
              FROM banter.users u
             WHERE u.handle = ANY (added)
            RETURNING user_id, role
        )
        SELECT e.*
          FROM joined j
         CROSS JOIN LATERAL banter.member_effect(conversation_id, j.user_id, j.role, head) e;
    IF entry.seq IS NOT NULL THEN
        RETURN NEXT entry;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION banter.remove_member(actor_id bigint, conversation_id uuid, other_handle text)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    other_id   bigint;
    other_role smallint;
    entry      banter.effect;
BEGIN
    IF other_handle = own_handle THEN
        RAISE EXCEPTION 'to go yourself, use the command leave' USING ERRCODE = 'BN001';
    END IF;
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins remove members' USING ERRCODE = 'BN003';
    END IF;
    SELECT u.id, m.role INTO other_id, other_role
      FROM banter.users u
      JOIN banter.members m ON m.conversation = conversation_id AND m.user_id = u.id
     WHERE u.handle = other_handle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a member: %', other_handle USING ERRCODE = 'BN004';
    END IF;
    IF other_role = 4 AND own_role < 4 THEN
        RAISE EXCEPTION 'only owners remove an owner' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = other_id;
    IF EXISTS (SELECT FROM banter.channels ch WHERE ch.conversation = conversation_id) THEN
        PERFORM banter.count_members(conversation_id, -1);
        RETURN NEXT banter.member_effect(conversation_id, other_id, 0, NULL);
        RETURN;
    END IF;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 12,
                                 '{' || banter.members_json(ARRAY[other_handle]) || '}');
    RETURN NEXT banter.member_effect(conversation_id, other_id, 0, entry.seq);
    RETURN NEXT entry;
END
$$;

-- The last one to leave leaves an empty group behind.
CREATE OR REPLACE FUNCTION banter.leave(actor_id bigint, conversation_id uuid) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint;
    heir       banter.effect;
    entry      banter.effect;
BEGIN
    IF EXISTS (SELECT FROM banter.channels ch WHERE ch.conversation = conversation_id) THEN
        RETURN QUERY SELECT * FROM banter.leave_channel(actor_id, conversation_id);
        RETURN;
    END IF;
    own_role := banter.lock_group(actor_id, conversation_id);
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF own_role = 4 THEN
        heir.user_id := banter.hand_over(conversation_id);
        SELECT u.handle INTO heir.handle FROM banter.users u WHERE u.id = heir.user_id;
    END IF;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 13, '{"owner":"' || heir.handle || '"}');
    RETURN NEXT banter.member_effect(conversation_id, actor_id, 0, entry.seq);
    IF heir.user_id IS NOT NULL THEN
        RETURN NEXT banter.member_effect(conversation_id, heir.user_id, 4, entry.seq);
    END IF;
    RETURN NEXT entry;
END
$$;

-- What a member sees of a conversation but its log. `peer` is the other one of a direct conversation, or oneself.
-- The last columns are those of channels, but for muted_until.
CREATE OR REPLACE VIEW banter.conversation_heads AS
    SELECT m.user_id, c.id AS conversation, c.kind, c.title, m.role, c.last_seq, m.received_seq, m.read_seq,
           c.created_at,
           CASE WHEN c.kind = 1 THEN
               (SELECT u.handle
                  FROM banter.members o
                  JOIN banter.users u ON u.id = o.user_id
                 WHERE o.conversation = c.id
                 ORDER BY (o.user_id <> m.user_id) DESC
                 LIMIT 1)
           END AS peer,
           CASE WHEN m.muted_until > now() THEN m.muted_until END AS muted_until,
           ch.name, ch.public, ch.joining_role, ch.member_count
      FROM banter.members m
      JOIN banter.conversations c ON c.id = m.conversation AND c.deleted_at IS NULL
      LEFT JOIN banter.channels ch ON ch.conversation = c.id;

-- ---------------------------------------------------------------- channels

CREATE FUNCTION banter.create_channel(actor_id bigint, conversation_id uuid, channel_title text, channel_name text,
                                      is_public boolean, role_of_joiners integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    entry      banter.effect;
BEGIN
    INSERT INTO banter.conversations (id, kind, title, created_by)
    VALUES (conversation_id, 3, channel_title, actor_id);
    INSERT INTO banter.channels (conversation, name, public, joining_role, member_count)
    VALUES (conversation_id, channel_name, is_public, role_of_joiners, 1)
    ON CONFLICT (name) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this name is taken' USING ERRCODE = 'BN005';
    END IF;
    INSERT INTO banter.members (conversation, user_id, role) VALUES (conversation_id, actor_id, 4);
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 10,
        '{"title":' || to_json(channel_title) || ',"members":[]}');
    RETURN NEXT banter.member_effect(conversation_id, actor_id, 4, 0);
    RETURN NEXT entry;
END
$$;

-- Locks the channel's row alone, but when an owner goes: then another one may have to be named in the log.
CREATE FUNCTION banter.leave_channel(actor_id bigint, conversation_id uuid) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_role smallint;
    heir_id  bigint;
    heir     text;
BEGIN
    PERFORM FROM banter.members m
      WHERE m.conversation = conversation_id AND m.user_id = actor_id AND m.role = 4;
    IF FOUND THEN
        PERFORM FROM banter.conversations c WHERE c.id = conversation_id FOR NO KEY UPDATE;
    END IF;
    PERFORM FROM banter.channels ch WHERE ch.conversation = conversation_id FOR NO KEY UPDATE;
    DELETE FROM banter.members m
     USING banter.conversations c
     WHERE m.conversation = conversation_id AND m.user_id = actor_id
       AND c.id = conversation_id AND c.deleted_at IS NULL
    RETURNING m.role INTO own_role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such conversation, or you are not a member of it' USING ERRCODE = 'BN004';
    END IF;
    PERFORM banter.count_members(conversation_id, -1);
    RETURN NEXT banter.member_effect(conversation_id, actor_id, 0, NULL);
    IF own_role < 4 THEN
        RETURN;
    END IF;
    SELECT m.user_id, u.handle INTO heir_id, heir
      FROM banter.members m
      JOIN banter.users u ON u.id = m.user_id
     WHERE m.conversation = conversation_id AND m.role >= 3
     ORDER BY m.role DESC, m.joined_at, m.user_id
     LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the last owner of a channel names another one first, or deletes it' USING ERRCODE = 'BN003';
    END IF;
    UPDATE banter.members m SET role = 4
     WHERE m.conversation = conversation_id AND m.user_id = heir_id AND m.role < 4;
    IF FOUND THEN
        RETURN NEXT banter.member_effect(conversation_id, heir_id, 4, NULL);
        RETURN NEXT banter.append_entry(conversation_id, actor_id, banter.actor_handle(actor_id), 16,
                                        '{"user":"' || heir || '","role":"owner"}');
    END IF;
END
$$;

-- By invite into a group or channel, or without one into a public channel. Who is a member already stays so; either
-- way the answer has the actor's membership.
CREATE FUNCTION banter.join_conversation(actor_id bigint, conversation_id uuid, invite_hash bytea,
                                         members_max integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint;
    channel    banter.channels;
    head       bigint;
BEGIN
    SELECT * INTO channel
      FROM banter.channels ch WHERE ch.conversation = conversation_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM FROM banter.conversations c WHERE c.id = conversation_id AND c.kind = 2 FOR NO KEY UPDATE;
    END IF;
    SELECT c.last_seq INTO head
      FROM banter.conversations c WHERE c.id = conversation_id AND c.kind <> 1 AND c.deleted_at IS NULL;
    IF head IS NULL THEN
        RAISE EXCEPTION 'there is nothing to join here' USING ERRCODE = 'BN004';
    END IF;
    SELECT m.role INTO own_role
      FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF FOUND THEN
        RETURN NEXT banter.member_effect(conversation_id, actor_id, own_role, head);
        RETURN;
    END IF;
    IF invite_hash IS NOT NULL THEN
        PERFORM banter.use_invite(conversation_id, invite_hash);
    ELSIF channel.public IS NOT TRUE THEN
        RAISE EXCEPTION 'there is nothing to join here' USING ERRCODE = 'BN004';
    END IF;
    own_role := coalesce(channel.joining_role, 2);
    INSERT INTO banter.members (conversation, user_id, role, joined_seq, received_seq, read_seq)
    VALUES (conversation_id, actor_id, own_role, head, head, head);
    RETURN NEXT banter.member_effect(conversation_id, actor_id, own_role, head);
    IF channel.conversation IS NOT NULL THEN
        PERFORM banter.count_members(conversation_id, 1);
    ELSIF (SELECT count(*) FROM banter.members m WHERE m.conversation = conversation_id) > members_max THEN
        RAISE EXCEPTION 'a group has at most % members', members_max USING ERRCODE = 'BN007';
    ELSE
        RETURN NEXT banter.append_entry(conversation_id, actor_id, own_handle, 18, NULL);
    END IF;
END
$$;

-- ---------------------------------------------------------------- roles, titles, the end

-- Owners give and take every role; admins those of members and readers, and lay down their own.
CREATE FUNCTION banter.set_role(actor_id bigint, conversation_id uuid, other_handle text, new_role integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    other_id   bigint;
    old_role   smallint;
    entry      banter.effect;
BEGIN
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins change roles' USING ERRCODE = 'BN003';
    END IF;
    SELECT u.id, m.role INTO other_id, old_role
      FROM banter.users u
      JOIN banter.members m ON m.conversation = conversation_id AND m.user_id = u.id
     WHERE u.handle = other_handle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a member: %', other_handle USING ERRCODE = 'BN004';
    END IF;
    IF new_role = old_role THEN
        RETURN;
    END IF;
    IF own_role < 4 AND (new_role >= 3 OR old_role >= 3) AND NOT (other_id = actor_id AND new_role < old_role) THEN
        RAISE EXCEPTION 'only owners make and unmake admins and owners' USING ERRCODE = 'BN003';
    END IF;
    IF old_role = 4 AND NOT EXISTS (SELECT FROM banter.members m
                                     WHERE m.conversation = conversation_id AND m.role = 4 AND m.user_id <> other_id)
    THEN
        RAISE EXCEPTION 'the last owner stays one until there is another' USING ERRCODE = 'BN003';
    END IF;
    UPDATE banter.members m SET role = new_role
     WHERE m.conversation = conversation_id AND m.user_id = other_id;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 16,
        '{"user":"' || other_handle || '","role":"' || (ARRAY['reader', 'member', 'admin', 'owner'])[new_role] || '"}');
    RETURN NEXT banter.member_effect(conversation_id, other_id, new_role, entry.seq - 1);
    RETURN NEXT entry;
END
$$;

-- NULL leaves as it is; an empty title or name takes it away. One entry tells of the title, one of the rest.
CREATE FUNCTION banter.modify_conversation(actor_id bigint, conversation_id uuid, new_title text, new_name text,
                                           new_public boolean, new_joining_role integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    channel    banter.channels;
    changed    text := '';
BEGIN
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins modify a conversation' USING ERRCODE = 'BN003';
    END IF;
    SELECT * INTO channel FROM banter.channels ch WHERE ch.conversation = conversation_id;
    IF NOT FOUND AND num_nonnulls(new_name, new_public, new_joining_role) > 0 THEN
        RAISE EXCEPTION 'only channels have a name, are public, or say who posts' USING ERRCODE = 'BN001';
    END IF;
    UPDATE banter.conversations c SET title = nullif(new_title, '')
     WHERE c.id = conversation_id AND new_title <> coalesce(c.title, '');
    IF FOUND THEN
        RETURN NEXT banter.append_entry(conversation_id, actor_id, own_handle, 15,
            '{"title":' || coalesce(to_json(nullif(new_title, ''))::text, 'null') || '}');
    END IF;
    IF new_name <> coalesce(channel.name, '') THEN
        changed := changed || ',"name":' || coalesce('"' || nullif(new_name, '') || '"', 'null');
    END IF;
    IF new_public <> channel.public THEN
        changed := changed || ',"public":' || new_public;
    END IF;
    IF new_joining_role <> channel.joining_role THEN
        changed := changed || ',"posting":"' || CASE new_joining_role WHEN 1 THEN 'admins' ELSE 'all' END || '"';
        INSERT INTO banter.chores (conversation, chore) VALUES (conversation_id, 2)
        ON CONFLICT (conversation, chore) DO UPDATE SET position = 0;
    END IF;
    IF changed <> '' THEN
        BEGIN
            UPDATE banter.channels ch
               SET name = nullif(coalesce(new_name, ch.name), ''), public = coalesce(new_public, ch.public),
                   joining_role = coalesce(new_joining_role, ch.joining_role)
             WHERE ch.conversation = conversation_id;
        EXCEPTION WHEN unique_violation THEN
            RAISE EXCEPTION 'this name is taken' USING ERRCODE = 'BN005';
        END;
        RETURN NEXT banter.append_entry(conversation_id, actor_id, own_handle, 17, '{' || substr(changed, 2) || '}');
    END IF;
END
$$;

-- Nobody sees it from now on; what it held is erased by a chore. The one effect has no user: it is for all members.
CREATE FUNCTION banter.delete_conversation(actor_id bigint, conversation_id uuid) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_role smallint;
    ended    banter.effect;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    own_role := banter.lock_group(actor_id, conversation_id);
    IF own_role < 4 THEN
        RAISE EXCEPTION 'only owners delete a conversation' USING ERRCODE = 'BN003';
    END IF;
    UPDATE banter.conversations c SET deleted_at = now(), title = NULL WHERE c.id = conversation_id
    RETURNING c.id, c.kind, c.last_seq INTO ended.conversation, ended.conversation_kind, ended.seq;
    INSERT INTO banter.search_progress (conversation, indexed_seq) VALUES (conversation_id, ended.seq)
    ON CONFLICT (conversation) DO UPDATE SET indexed_seq = ended.seq; -- nobody indexes it any more
    DELETE FROM banter.invites i WHERE i.conversation = conversation_id;
    DELETE FROM banter.chores o WHERE o.conversation = conversation_id;
    INSERT INTO banter.chores (conversation, chore) VALUES (conversation_id, 1);
    RETURN NEXT ended;
END
$$;

-- ---------------------------------------------------------------- invites

-- `uses` and `ttl` NULL: without bound.
CREATE FUNCTION banter.create_invite(actor_id bigint, conversation_id uuid, invite_hash bytea, ttl_s bigint,
                                     uses integer)
RETURNS timestamptz(3)
LANGUAGE plpgsql AS $$
DECLARE
    invites_max constant integer := 100;
    expiry      timestamptz(3) := now() + ttl_s * interval '1 second';
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF banter.lock_group(actor_id, conversation_id) < 3 THEN
        RAISE EXCEPTION 'only owners and admins invite' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.invites i
     WHERE i.conversation = conversation_id AND (i.expires_at <= now() OR i.uses_left = 0);
    IF (SELECT count(*) FROM banter.invites i WHERE i.conversation = conversation_id) >= invites_max THEN
        RAISE EXCEPTION 'a conversation has at most % invites: revoke some', invites_max USING ERRCODE = 'BN007';
    END IF;
    INSERT INTO banter.invites (hash, conversation, created_by, expires_at, uses_left)
    VALUES (invite_hash, conversation_id, actor_id, expiry, uses);
    RETURN expiry;
END
$$;

CREATE FUNCTION banter.use_invite(conversation_id uuid, invite_hash bytea) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE banter.invites i SET uses_left = i.uses_left - 1
     WHERE i.hash = invite_hash AND i.conversation = conversation_id
       AND (i.expires_at IS NULL OR i.expires_at > now()) AND (i.uses_left IS NULL OR i.uses_left > 0);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this invite is not valid, or no longer' USING ERRCODE = 'BN004';
    END IF;
END
$$;

-- Without a hash, all of the conversation's. How many there were.
CREATE FUNCTION banter.revoke_invites(actor_id bigint, conversation_id uuid, invite_hash bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    revoked bigint;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF banter.lock_group(actor_id, conversation_id) < 3 THEN
        RAISE EXCEPTION 'only owners and admins revoke invites' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.invites i
     WHERE i.conversation = conversation_id AND (invite_hash IS NULL OR i.hash = invite_hash);
    GET DIAGNOSTICS revoked = ROW_COUNT;
    RETURN revoked;
END
$$;

-- ---------------------------------------------------------------- blocks

-- Brings the roles in a direct conversation into line with the blocks. If there is none, both are told that they are not
-- in it: whoever watches the other's presence is then judged again.
CREATE FUNCTION banter.settle_direct(conversation_id uuid, uid_a bigint, uid_b bigint) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    wanted smallint := banter.direct_role(uid_a, uid_b);
BEGIN
    PERFORM FROM banter.conversations c WHERE c.id = conversation_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY
            SELECT conversation_id, 1::smallint, NULL::smallint, u.id, u.handle, 0::smallint, 0::bigint,
                   NULL::timestamptz(3), NULL::text
              FROM banter.users u
             WHERE u.id IN (uid_a, uid_b);
        RETURN;
    END IF;
    RETURN QUERY
        WITH changed AS (
            UPDATE banter.members m SET role = wanted
             WHERE m.conversation = conversation_id AND m.user_id IN (uid_a, uid_b) AND m.role <> wanted
            RETURNING m.user_id
        )
        SELECT e.* FROM changed c CROSS JOIN LATERAL banter.member_effect(conversation_id, c.user_id, wanted, NULL) e;
END
$$;

CREATE FUNCTION banter.set_block(actor_id bigint, conversation_id uuid, other_handle text, blocked_now boolean)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    blocks_max constant integer := 10000;
    other_id   bigint;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    SELECT u.id INTO other_id FROM banter.users u WHERE u.handle = other_handle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such user: %', other_handle USING ERRCODE = 'BN004';
    END IF;
    IF other_id = actor_id THEN
        RAISE EXCEPTION 'nobody blocks themselves' USING ERRCODE = 'BN001';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('banter.blocks'));
    IF blocked_now THEN
        INSERT INTO banter.blocks (blocker, blocked) VALUES (actor_id, other_id) ON CONFLICT DO NOTHING;
        IF FOUND AND (SELECT count(*) FROM banter.blocks b WHERE b.blocker = actor_id) > blocks_max THEN
            RAISE EXCEPTION 'nobody blocks more than % users', blocks_max USING ERRCODE = 'BN007';
        END IF;
    ELSE
        DELETE FROM banter.blocks b WHERE b.blocker = actor_id AND b.blocked = other_id;
    END IF;
    RETURN QUERY SELECT * FROM banter.settle_direct(conversation_id, actor_id, other_id);
END
$$;

-- ---------------------------------------------------------------- chores

-- Erases up to `slice` rows of each kind of what a deleted conversation held.
CREATE FUNCTION banter.erase_deleted(conversation_id uuid, slice integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    part   text;
    erased integer;
    most   integer := 0;
BEGIN
    PERFORM FROM banter.conversations c WHERE c.id = conversation_id AND c.deleted_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not deleted';
    END IF;
    FOREACH part IN ARRAY ARRAY['messages', 'members', 'edits', 'reactors', 'reactions', 'search'] LOOP
        EXECUTE format('DELETE FROM banter.%I WHERE conversation = $1 AND ctid = ANY (ARRAY('
                       'SELECT ctid FROM banter.%I WHERE conversation = $1 LIMIT $2))', part, part)
          USING conversation_id, slice;
        GET DIAGNOSTICS erased = ROW_COUNT;
        most := greatest(most, erased);
    END LOOP;
    IF most < slice THEN
        DELETE FROM banter.chores o WHERE o.conversation = conversation_id AND o.chore = 1;
    END IF;
END
$$;

-- After "posting" changed: gives the next `slice` members the role that joining gives now.
CREATE FUNCTION banter.settle_roles(conversation_id uuid, slice integer) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    wanted smallint;
    done   bigint;
    page   bigint[];
BEGIN
    SELECT ch.joining_role INTO wanted
      FROM banter.channels ch WHERE ch.conversation = conversation_id FOR NO KEY UPDATE;
    SELECT o.position INTO done FROM banter.chores o WHERE o.conversation = conversation_id AND o.chore = 2;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    page := ARRAY(SELECT m.user_id FROM banter.members m
                   WHERE m.conversation = conversation_id AND m.user_id > done
                   ORDER BY m.user_id LIMIT slice);
    RETURN QUERY
        WITH changed AS (
            UPDATE banter.members m SET role = wanted
             WHERE m.conversation = conversation_id AND m.user_id = ANY (page) AND m.role < 3 AND m.role <> wanted
            RETURNING m.user_id
        )
        SELECT e.* FROM changed c CROSS JOIN LATERAL banter.member_effect(conversation_id, c.user_id, wanted, NULL) e;
    IF cardinality(page) < slice THEN
        DELETE FROM banter.chores o WHERE o.conversation = conversation_id AND o.chore = 2;
    ELSE
        UPDATE banter.chores o SET position = page[slice] WHERE o.conversation = conversation_id AND o.chore = 2;
    END IF;
END
$$;
