-- SPDX-License-Identifier: MIT
-- 0019_retention.sql - conversations whose texts are kept for a number of days only.
--
-- What has expired becomes what a deleted message is: the entry stays, without its text, so seq has no gap and nobody
-- who reads the log has to know of it. The bridge's chores do it, slice by slice, as soon as it is due. A table of its
-- own, because the rows of banter.conversations are for what the writer needs.

CREATE TABLE banter.retentions (
    conversation uuid PRIMARY KEY,
    days         integer NOT NULL CHECK (days BETWEEN 1 AND 36500),
    erased_seq   bigint NOT NULL DEFAULT 0,            -- up to here nothing is left
    due_at       timestamptz(3) NOT NULL DEFAULT now() -- when there is something to do again
);
CREATE INDEX retentions_due ON banter.retentions (due_at);

-- 0: for ever. One entry tells of it, if it changes anything.
CREATE FUNCTION banter.set_retention(actor_id bigint, conversation_id uuid, new_days integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
BEGIN
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins modify a conversation' USING ERRCODE = 'BN003';
    END IF;
    IF new_days = 0 THEN
        DELETE FROM banter.retentions r WHERE r.conversation = conversation_id;
    ELSE
        INSERT INTO banter.retentions AS r (conversation, days) VALUES (conversation_id, new_days)
        ON CONFLICT (conversation) DO UPDATE SET days = new_days, due_at = now()
         WHERE r.days <> new_days;
    END IF;
    IF FOUND THEN
        RETURN NEXT banter.append_entry(conversation_id, actor_id, own_handle, 17,
            '{"retention_days":' || coalesce(nullif(new_days, 0)::text, 'null') || '}');
    END IF;
END
$$;

-- Beside the one without new_days, which bridges of the version before go on using.
CREATE FUNCTION banter.modify_conversation(actor_id bigint, conversation_id uuid, new_title text, new_name text,
                                           new_public boolean, new_joining_role integer, new_days integer)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT e.* FROM banter.modify_conversation(actor_id, conversation_id, new_title, new_name, new_public,
                                                            new_joining_role) e;
    IF new_days IS NOT NULL THEN
        RETURN QUERY SELECT e.* FROM banter.set_retention(actor_id, conversation_id, new_days) e;
    END IF;
END
$$;

-- Looks at the next `slice` entries and erases the texts of those that have expired, in the order of the log: up to
-- the first one that has not, and no further than the index of the search has come, so that what is being indexed does
-- not bring words back; should an edit do so, they go with the next slice, a day later at most. Edits go with their
-- message. Under the lock of the conversation, as all that takes texts away.
CREATE FUNCTION banter.erase_expired(conversation_id uuid, slice integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kept    banter.retentions;
    indexed bigint;
    seen    bigint;         -- the last entry that was looked at
    young   bigint;         -- the first one of them that has not expired,
    until   timestamptz(3); -- and when it will
    upto    bigint;
BEGIN
    PERFORM FROM banter.conversations c
      WHERE c.id = conversation_id AND c.deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        DELETE FROM banter.retentions r WHERE r.conversation = conversation_id;
        RETURN;
    END IF;
    SELECT r.* INTO kept FROM banter.retentions r WHERE r.conversation = conversation_id;
    IF NOT FOUND THEN
        RETURN; -- taken back meanwhile
    END IF;
    SELECT p.indexed_seq INTO indexed FROM banter.search_progress p WHERE p.conversation = conversation_id;
    SELECT max(page.seq), min(page.seq) FILTER (WHERE page.expires_at > now()),
           min(page.expires_at) FILTER (WHERE page.expires_at > now())
      INTO seen, young, until
      FROM (SELECT m.seq, m.at + make_interval(days => kept.days) AS expires_at
              FROM banter.messages m
             WHERE m.conversation = conversation_id AND m.seq > kept.erased_seq
             ORDER BY m.seq LIMIT slice) page;
    upto := least(coalesce(young - 1, seen, kept.erased_seq), greatest(coalesce(indexed, 0), kept.erased_seq));
    UPDATE banter.messages m
       SET text = NULL, data = '{"deleted":true}'
     WHERE m.conversation = conversation_id AND m.text IS NOT NULL AND m.kind IN (1, 2)
       AND (m.seq > kept.erased_seq AND m.seq <= upto
            OR m.seq = ANY (ARRAY(SELECT unnest(e.seqs) FROM banter.edits e
                                   WHERE e.conversation = conversation_id
                                     AND e.target > kept.erased_seq AND e.target <= upto)));
    DELETE FROM banter.search s WHERE s.conversation = conversation_id AND s.seq <= upto;
    UPDATE banter.retentions r
       SET erased_seq = upto,
           due_at = CASE
               WHEN upto < coalesce(young - 1, seen, upto) THEN now() + interval '1 min' -- the index is behind
               WHEN young IS NULL AND seen - kept.erased_seq >= slice THEN now()
               ELSE least(coalesce(until, now() + make_interval(days => kept.days)), now() + interval '1 day')
           END
     WHERE r.conversation = conversation_id;
END
$$;
