-- SPDX-License-Identifier: MIT
-- 0005_targets.sql - entries that concern a message: edits, deletions and reactions.
--
-- The log keeps every one of them. What they come to is kept beside it, so that reading a message costs the same after
-- ten thousand reactions as after one. All of it is written under the lock of the conversation, in the transaction that
-- stores the entry, and could be made again from the log.

ALTER TABLE banter.messages ADD COLUMN target bigint; -- the seq of the message that the entry concerns

CREATE TABLE banter.edits (
    conversation uuid NOT NULL,
    target       bigint NOT NULL,
    seqs         bigint[] NOT NULL, -- of the edits, oldest first
    PRIMARY KEY (conversation, target)
);

CREATE TABLE banter.reactors (
    conversation uuid NOT NULL,
    target       bigint NOT NULL,
    emoji        text COLLATE "C" NOT NULL,
    user_id      bigint NOT NULL,
    seq          bigint NOT NULL,  -- of this user's newest reaction with this emoji
    removed      boolean NOT NULL, -- which took an earlier one back
    PRIMARY KEY (conversation, target, emoji, user_id)
);
CREATE INDEX reactors_in_order ON banter.reactors (conversation, target, emoji, seq) WHERE NOT removed;

CREATE TABLE banter.reactions (
    conversation uuid NOT NULL,
    target       bigint NOT NULL,
    emoji        text COLLATE "C" NOT NULL,
    first_seq    bigint NOT NULL,
    count        integer NOT NULL CHECK (count >= 0),
    PRIMARY KEY (conversation, target, emoji)
) WITH (fillfactor = 50); -- count is updated by every reaction: keep those updates HOT

-- Whether a member with the right to post may store this entry. The numbers are those of enum verdict
-- (bridge/core/ingest/batch.c).
CREATE FUNCTION banter.judge_target(conversation_id uuid, target_seq bigint, draft_kind smallint, actor_id bigint,
                                    actor_role smallint)
RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    message record;
BEGIN
    SELECT m.kind, m.sender, m.text IS NULL AS deleted INTO message
      FROM banter.messages m
     WHERE m.conversation = conversation_id AND m.seq = target_seq;
    RETURN CASE
        WHEN message.kind IS DISTINCT FROM 1 THEN 6
        WHEN message.deleted THEN 7
        WHEN draft_kind = 2 AND message.sender <> actor_id THEN 8
        WHEN draft_kind = 3 AND message.sender <> actor_id AND actor_role < 3 THEN 9
        WHEN draft_kind = 2 AND (SELECT cardinality(e.seqs) >= 100 FROM banter.edits e
                                  WHERE e.conversation = conversation_id AND e.target = target_seq) THEN 10
        ELSE 0
    END;
END
$$;

CREATE FUNCTION banter.fold_edit(entry banter.messages) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO banter.edits AS e (conversation, target, seqs)
    VALUES (entry.conversation, entry.target, ARRAY[entry.seq])
    ON CONFLICT (conversation, target) DO UPDATE SET seqs = e.seqs || entry.seq
     WHERE NOT entry.seq = ANY (e.seqs)
$$;

-- The text leaves the log, and the texts of all edits with it; the entries stay, so that seq has no gap.
CREATE FUNCTION banter.fold_delete(entry banter.messages) RETURNS void
LANGUAGE sql AS $$
    UPDATE banter.messages m
       SET text = NULL, data = '{"deleted":true}'
     WHERE m.conversation = entry.conversation
       AND m.seq = ANY (entry.target || coalesce((SELECT e.seqs FROM banter.edits e
                                                   WHERE e.conversation = entry.conversation
                                                     AND e.target = entry.target), '{}'))
       AND m.text IS NOT NULL
$$;

-- Of one user's reactions with one emoji the newest counts.
CREATE FUNCTION banter.fold_reaction(entry banter.messages) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    adds  boolean := entry.data IS NULL;
    known banter.reactors;
    rise  integer;
BEGIN
    SELECT r.* INTO known
      FROM banter.reactors r
     WHERE r.conversation = entry.conversation AND r.target = entry.target AND r.emoji = entry.text
       AND r.user_id = entry.sender;
    IF known.seq >= entry.seq THEN
        RETURN;
    END IF;
    INSERT INTO banter.reactors (conversation, target, emoji, user_id, seq, removed)
    VALUES (entry.conversation, entry.target, entry.text, entry.sender, entry.seq, NOT adds)
    ON CONFLICT (conversation, target, emoji, user_id)
    DO UPDATE SET seq = excluded.seq, removed = excluded.removed;
    rise := adds::integer - (NOT coalesce(known.removed, true))::integer;
    IF rise > 0 THEN
        INSERT INTO banter.reactions AS r (conversation, target, emoji, first_seq, count)
        VALUES (entry.conversation, entry.target, entry.text, entry.seq, 1)
        ON CONFLICT (conversation, target, emoji) DO UPDATE SET count = r.count + 1;
    ELSIF rise < 0 THEN
        UPDATE banter.reactions r SET count = r.count - 1
         WHERE r.conversation = entry.conversation AND r.target = entry.target AND r.emoji = entry.text;
    END IF;
END
$$;

-- Does what the stored entries among these drafts ask for. Harmless to repeat, at any later time.
CREATE FUNCTION banter.fold_entries(conversations uuid[], senders bigint[], ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    entry banter.messages;
BEGIN
    FOR entry IN
        SELECT m.*
          FROM unnest(conversations, senders, ids) AS d (conversation, sender, id)
          JOIN banter.messages m ON m.conversation = d.conversation AND m.sender = d.sender AND m.id = d.id
         WHERE m.target IS NOT NULL
         ORDER BY m.conversation, m.seq
    LOOP
        CASE entry.kind
            WHEN 2 THEN PERFORM banter.fold_edit(entry);
            WHEN 3 THEN PERFORM banter.fold_delete(entry);
            WHEN 4 THEN PERFORM banter.fold_reaction(entry);
        END CASE;
    END LOOP;
END
$$;

-- {"👍":{"count":2,"users":["bob","eve"],"own":true}}: the 20 emojis that came first, with up to 10 users each, those
-- who have reacted longest; `own` if the reader is among all of them. NULL without reactions.
CREATE FUNCTION banter.reactions_json(conversation_id uuid, target_seq bigint, reader_id bigint) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT '{' || string_agg(to_json(r.emoji) || ':{"count":' || r.count || ',"users":[' || coalesce(u.handles, '') || ']'
                             || CASE WHEN u.own THEN ',"own":true}' ELSE '}' END, ',' ORDER BY r.first_seq) || '}'
      FROM (SELECT s.emoji, s.count, s.first_seq
              FROM banter.reactions s
             WHERE s.conversation = conversation_id AND s.target = target_seq AND s.count > 0
             ORDER BY s.first_seq
             LIMIT 20) r
     CROSS JOIN LATERAL (
           SELECT (SELECT string_agg('"' || u.handle || '"', ',' ORDER BY o.seq)
                     FROM (SELECT a.user_id, a.seq
                             FROM banter.reactors a
                            WHERE a.conversation = conversation_id AND a.target = target_seq AND a.emoji = r.emoji
                              AND NOT a.removed
                            ORDER BY a.seq
                            LIMIT 10) o
                     JOIN banter.users u ON u.id = o.user_id) AS handles,
                  EXISTS (SELECT FROM banter.reactors a
                           WHERE a.conversation = conversation_id AND a.target = target_seq AND a.emoji = r.emoji
                             AND a.user_id = reader_id AND NOT a.removed) AS own) u
$$;

-- Entries as they are now, after all that concerns them; those that concern others are left out. `text` comes without
-- being read: only its length is needed of most.
CREATE VIEW banter.folded_messages AS
    SELECT m.conversation, m.seq, m.sender, m.at, m.kind, m.reply_to, m.id, coalesce(e.text, m.text) AS text, m.data,
           m.target, CASE WHEN m.text IS NOT NULL THEN e.at END AS edited_at
      FROM banter.messages m
      LEFT JOIN LATERAL (SELECT n.text, n.at
                           FROM banter.edits x
                           JOIN banter.messages n ON n.conversation = x.conversation
                                                 AND n.seq = x.seqs[cardinality(x.seqs)]
                          WHERE x.conversation = m.conversation AND x.target = m.seq
                          LIMIT 1) e ON true
     WHERE m.kind NOT IN (2, 3, 4);

-- The data of a row of that view, with the members that only the folded view has.
CREATE FUNCTION banter.folded_data(conversation_id uuid, seq bigint, kind smallint, data text, edited_at timestamptz,
                                   reader_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF kind <> 1 OR data IS NOT NULL THEN
        RETURN data; -- nothing concerns it; or it is deleted
    END IF;
    RETURN nullif('{' || concat_ws(',',
        '"edited_at":"' || to_char(edited_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"',
        '"reactions":' || banter.reactions_json(conversation_id, seq, reader_id)) || '}', '{}');
END
$$;
