-- SPDX-License-Identifier: MIT
-- 0002_commands.sql - what the control commands change; each call is one transaction.
--
-- Lock order, here and in the writer: rows of banter.conversations, by id. A membership is read only after its
-- conversation is locked, in a later statement, so that it is the current one and stays so until the commit.
--
-- A refusal is an exception whose SQLSTATE says which (bridge/core/effects.c maps them) and whose message is the
-- reason that the client reads: BN001 invalid, BN003 forbidden, BN004 not_found, BN007 limit_reached.

-- One change that the plugin has to hear of. Functions return them in the order in which they are to be told.
CREATE TYPE banter.effect AS (
    conversation      uuid,
    conversation_kind smallint,
    entry_kind        smallint,      -- NULL: a membership changed; else an entry was appended
    user_id           bigint,        -- whose membership, or the entry's sender
    handle            text,          -- of user_id
    role              smallint,      -- memberships: the role from now on, 0 for none
    seq               bigint,        -- entries: theirs; memberships: the change's, or the one before a new member's first
    at                timestamptz(3),
    data              text
);

-- Makes the direct conversations that do not exist yet. Given parallel arrays: the id derived from two handles, and
-- the handles. Returns a row for each element (`ord`, from 1) whose two users exist and are not disabled, whether the
-- conversation is new or not; others are absent from the result. `created` is true once per new conversation, even
-- if it is given twice. May be called by many at once; the members of what another one just made are visible to the
-- caller's next statement.
CREATE FUNCTION banter.ensure_direct(conversations uuid[], handles_a text[], handles_b text[])
RETURNS TABLE (ord bigint, conversation uuid, uid_a bigint, uid_b bigint, created boolean)
LANGUAGE sql AS $$
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
        SELECT DISTINCT w.conversation, u.id, 2
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

-- The actor's handle. Whoever is unknown or disabled may change nothing.
CREATE FUNCTION banter.actor_handle(actor_id bigint) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found text;
BEGIN
    SELECT u.handle INTO found FROM banter.users u WHERE u.id = actor_id AND u.disabled_at IS NULL;
    IF found IS NULL THEN
        RAISE EXCEPTION 'this account is disabled' USING ERRCODE = 'BN003';
    END IF;
    RETURN found;
END
$$;

-- The users of these handles, each once, in the order given. An unknown one is an error that names it.
CREATE FUNCTION banter.users_named(handles text[]) RETURNS TABLE (ord bigint, user_id bigint, handle text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    missing text;
BEGIN
    SELECT h.handle INTO missing
      FROM unnest(handles) WITH ORDINALITY AS h (handle, ord)
     WHERE NOT EXISTS (SELECT FROM banter.users u WHERE u.handle = h.handle AND u.disabled_at IS NULL)
     ORDER BY h.ord
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no such user: %', missing USING ERRCODE = 'BN004';
    END IF;
    RETURN QUERY
        SELECT min(h.ord), u.id, u.handle
          FROM unnest(handles) WITH ORDINALITY AS h (handle, ord)
          JOIN banter.users u ON u.handle = h.handle
         GROUP BY u.id, u.handle
         ORDER BY 1;
END
$$;

-- Locks a group for a change of its members and returns the actor's role in it. To those outside, a conversation
-- that exists looks like one that does not.
CREATE FUNCTION banter.lock_group(actor_id bigint, conversation_id uuid) RETURNS smallint
LANGUAGE plpgsql AS $$
DECLARE
    found_kind smallint;
    found_role smallint;
BEGIN
    SELECT c.kind INTO found_kind FROM banter.conversations c WHERE c.id = conversation_id FOR NO KEY UPDATE;
    SELECT m.role INTO found_role
      FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF found_kind IS NULL OR found_role IS NULL THEN
        RAISE EXCEPTION 'no such conversation, or you are not a member of it' USING ERRCODE = 'BN004';
    END IF;
    IF found_kind = 1 THEN
        RAISE EXCEPTION 'the members of a direct conversation never change' USING ERRCODE = 'BN003';
    END IF;
    RETURN found_role;
END
$$;

-- Appends one entry made by the server; the conversation is locked by this if it was not before.
CREATE FUNCTION banter.append_entry(conversation_id uuid, sender_id bigint, sender_handle text,
                                    appended_kind integer, appended_data text)
RETURNS banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    entry banter.effect;
BEGIN
    UPDATE banter.conversations c SET last_seq = c.last_seq + 1 WHERE c.id = conversation_id
    RETURNING c.kind, c.last_seq INTO STRICT entry.conversation_kind, entry.seq;
    entry.conversation := conversation_id;
    entry.entry_kind := appended_kind;
    entry.user_id := sender_id;
    entry.handle := sender_handle;
    entry.at := clock_timestamp();
    entry.data := appended_data;
    INSERT INTO banter.messages (conversation, seq, sender, at, kind, data)
    VALUES (conversation_id, entry.seq, sender_id, entry.at, entry.entry_kind, entry.data);
    RETURN entry;
END
$$;

-- "members":["bob","eve"]; handles need no escapes.
CREATE FUNCTION banter.members_json(handles text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT '"members":[' || coalesce('"' || nullif(array_to_string(handles, '","'), '') || '"', '') || ']'
$$;

CREATE FUNCTION banter.create_direct(actor_id bigint, conversation_id uuid, other_handle text)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    made       record;
BEGIN
    SELECT d.created INTO made
      FROM banter.ensure_direct(ARRAY[conversation_id], ARRAY[own_handle], ARRAY[other_handle]) d;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such user: %', other_handle USING ERRCODE = 'BN004';
    END IF;
    IF made.created THEN
        RETURN QUERY
            SELECT m.conversation, 1::smallint, NULL::smallint, m.user_id, u.handle, m.role, 0::bigint,
                   NULL::timestamptz(3), NULL::text
              FROM banter.members m
              JOIN banter.users u ON u.id = m.user_id
             WHERE m.conversation = conversation_id;
    END IF;
END
$$;

-- The actor becomes the owner; naming the actor among `handles` changes nothing. `members_max` counts everybody.
CREATE FUNCTION banter.create_group(actor_id bigint, conversation_id uuid, group_title text, handles text[],
                                    members_max integer)
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

-- Those who are members already stay as they are; if all are, nothing happens.
CREATE FUNCTION banter.add_members(actor_id bigint, conversation_id uuid, handles text[], members_max integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
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
    IF cardinality(added) + (SELECT count(*) FROM banter.members m WHERE m.conversation = conversation_id)
       > members_max THEN
        RAISE EXCEPTION 'a group has at most % members', members_max USING ERRCODE = 'BN007';
    END IF;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 11, '{' || banter.members_json(added) || '}');
    RETURN QUERY
        WITH joined AS (
            INSERT INTO banter.members (conversation, user_id, role, joined_seq, received_seq, read_seq)
            SELECT conversation_id, u.id, 2, entry.seq - 1, entry.seq - 1, entry.seq - 1
              FROM banter.users u
             WHERE u.handle = ANY (added)
            RETURNING user_id, role
        )
        SELECT conversation_id, entry.conversation_kind, NULL::smallint, j.user_id, u.handle, j.role, entry.seq - 1,
               NULL::timestamptz(3), NULL::text
          FROM joined j
          JOIN banter.users u ON u.id = j.user_id;
    RETURN NEXT entry;
END
$$;

-- The last owner hands the conversation to who has been in it longest among those with the highest role.
-- Returns the new owner, or NULL if there was no need of one or nobody is left.
CREATE FUNCTION banter.hand_over(conversation_id uuid) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE banter.members
       SET role = 4
     WHERE conversation = conversation_id
       AND user_id = (SELECT m.user_id
                        FROM banter.members m
                       WHERE m.conversation = conversation_id
                       ORDER BY m.role DESC, m.joined_seq, m.joined_at, m.user_id
                       LIMIT 1)
       AND role < 4
    RETURNING user_id
$$;

CREATE FUNCTION banter.remove_member(actor_id bigint, conversation_id uuid, other_handle text)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    removed    banter.effect;
    entry      banter.effect;
BEGIN
    IF other_handle = own_handle THEN
        RAISE EXCEPTION 'to go yourself, use the command leave' USING ERRCODE = 'BN001';
    END IF;
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins remove members' USING ERRCODE = 'BN003';
    END IF;
    SELECT u.id, u.handle, m.role INTO removed.user_id, removed.handle, removed.role
      FROM banter.users u
      JOIN banter.members m ON m.conversation = conversation_id AND m.user_id = u.id
     WHERE u.handle = other_handle;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a member: %', other_handle USING ERRCODE = 'BN004';
    END IF;
    IF removed.role = 4 AND own_role < 4 THEN
        RAISE EXCEPTION 'only owners remove an owner' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = removed.user_id;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 12,
                                 '{' || banter.members_json(ARRAY[removed.handle]) || '}');
    removed.conversation := conversation_id;
    removed.conversation_kind := entry.conversation_kind;
    removed.role := 0;
    removed.seq := entry.seq;
    RETURN NEXT removed;
    RETURN NEXT entry;
END
$$;

-- The last one to leave leaves an empty conversation behind.
CREATE FUNCTION banter.leave(actor_id bigint, conversation_id uuid) RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    heir       banter.effect;
    gone       banter.effect;
    entry      banter.effect;
BEGIN
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF own_role = 4 THEN
        heir.user_id := banter.hand_over(conversation_id);
        SELECT u.handle INTO heir.handle FROM banter.users u WHERE u.id = heir.user_id;
    END IF;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 13, '{"owner":"' || heir.handle || '"}');
    gone := (conversation_id, entry.conversation_kind, NULL, actor_id, own_handle, 0, entry.seq, NULL, NULL);
    RETURN NEXT gone;
    IF heir.user_id IS NOT NULL THEN
        heir := (conversation_id, entry.conversation_kind, NULL, heir.user_id, heir.handle, 4, entry.seq, NULL, NULL);
        RETURN NEXT heir;
    END IF;
    RETURN NEXT entry;
END
$$;

-- What a member sees of a conversation but its log. `peer` is the other one of a direct conversation, or oneself.
CREATE VIEW banter.conversation_heads AS
    SELECT m.user_id, c.id AS conversation, c.kind, c.title, m.role, c.last_seq, m.received_seq, m.read_seq,
           c.created_at,
           CASE WHEN c.kind = 1 THEN
               (SELECT u.handle
                  FROM banter.members o
                  JOIN banter.users u ON u.id = o.user_id
                 WHERE o.conversation = c.id
                 ORDER BY (o.user_id <> m.user_id) DESC
                 LIMIT 1)
           END AS peer
      FROM banter.members m
      JOIN banter.conversations c ON c.id = m.conversation;
