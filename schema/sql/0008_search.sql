-- SPDX-License-Identifier: MIT
-- 0008_search.sql - what search reads: the words of messages, and the beginnings of names.
--
-- The words of messages are made after the commit, by the bridge (bridge/core/indexer.c), conversation by conversation
-- in the order of seq. Rows and progress change in one transaction, and the log has no gaps: so whatever crashes, the
-- rows are exactly what the log up to indexed_seq comes to. Both tables may be emptied at any time; they fill again.

CREATE TABLE banter.search (
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,          -- of the message
    text_seq     bigint NOT NULL,          -- of the entry that has its text now: its newest edit, or itself
    sender       bigint NOT NULL,
    at           timestamptz(3) NOT NULL,  -- of the message
    words        tsvector NOT NULL,        -- and '/' with the conversation's id, which no text can hold
    PRIMARY KEY (conversation, seq)
);

-- The conversation is among the words, so that the index finds those of one conversation without reading those of
-- others. No pending list: every search would have to read it.
CREATE INDEX search_words ON banter.search USING gin (words) WITH (fastupdate = off);

CREATE TABLE banter.search_progress (
    conversation uuid PRIMARY KEY,
    indexed_seq  bigint NOT NULL
) WITH (fillfactor = 50); -- updated all the time: keep those updates HOT

-- Records what entries come to. Given parallel arrays: conversations with the indexed_seq that the caller read and the
-- new one; and for each message or edit or deletion in between, in any order, its seq, the seq of the message it
-- concerns and the words it leaves there, or NULL for none. Conversations where somebody else was faster stay as they
-- are.
CREATE FUNCTION banter.index_entries(conversations uuid[], read_from bigint[], read_to bigint[],
                                     entry_conversations uuid[], entry_seqs bigint[], targets bigint[],
                                     entry_words text[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO banter.search_progress (conversation, indexed_seq)
    SELECT a.conversation, 0 FROM unnest(conversations) a (conversation) ORDER BY a.conversation
    ON CONFLICT DO NOTHING;
    WITH advanced AS (
        UPDATE banter.search_progress p
           SET indexed_seq = a.read_to
          FROM unnest(conversations, read_from, read_to) a (conversation, read_from, read_to)
         WHERE p.conversation = a.conversation AND p.indexed_seq = a.read_from
        RETURNING p.conversation
    ), newest AS (
        SELECT DISTINCT ON (e.conversation, e.target) e.conversation, e.target, e.seq, e.words
          FROM unnest(entry_conversations, entry_seqs, targets, entry_words) e (conversation, seq, target, words)
          JOIN advanced USING (conversation)
         ORDER BY e.conversation, e.target, e.seq DESC
    ), gone AS (
        DELETE FROM banter.search s
         USING newest n
         WHERE n.words IS NULL AND s.conversation = n.conversation AND s.seq = n.target
    )
    INSERT INTO banter.search (conversation, seq, text_seq, sender, at, words)
    SELECT n.conversation, n.target, n.seq, m.sender, m.at,
           array_to_tsvector(ARRAY['/' || n.conversation]) || n.words::tsvector
      FROM newest n
      JOIN banter.messages m ON m.conversation = n.conversation AND m.seq = n.target
     WHERE n.words IS NOT NULL
    ON CONFLICT (conversation, seq) DO UPDATE SET text_seq = excluded.text_seq, words = excluded.words;
END
$$;

-- What of two names is compared: their beginnings, in one case and one form.
CREATE FUNCTION banter.comparable(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(normalize(name, NFKC))
$$;
CREATE INDEX users_by_name ON banter.users (banter.comparable(name) text_pattern_ops) WHERE disabled_at IS NULL;
