-- SPDX-License-Identifier: MIT
-- 0025_short_slices.sql - what records entries for the search says which conversations it left alone.
--
-- Who knows that nothing of a conversation is left need not look at it a second time. That took a new function: a node
-- of the release before, running while this one migrates, has prepared a statement whose result must not change.

-- As banter.index_entries() was. The conversations where somebody else was faster: their entries are to be read again.
CREATE FUNCTION banter.index_slice(conversations uuid[], read_from bigint[], read_to bigint[],
                                   entry_conversations uuid[], entry_seqs bigint[], targets bigint[],
                                   entry_words text[])
RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO banter.search_progress (conversation, indexed_seq)
    SELECT a.conversation, 0 FROM unnest(conversations) a (conversation) ORDER BY a.conversation
    ON CONFLICT DO NOTHING;
    RETURN QUERY
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
    ), recorded AS (
        INSERT INTO banter.search (conversation, seq, text_seq, sender, at, words)
        SELECT n.conversation, n.target, n.seq, m.sender, m.at,
               array_to_tsvector(ARRAY['/' || n.conversation]) || n.words::tsvector
          FROM newest n
          JOIN banter.messages m ON m.conversation = n.conversation AND m.seq = n.target
         WHERE n.words IS NOT NULL
        ON CONFLICT (conversation, seq) DO UPDATE SET text_seq = excluded.text_seq, words = excluded.words
    )
    SELECT a.conversation FROM unnest(conversations) a (conversation)
    EXCEPT ALL
    SELECT advanced.conversation FROM advanced;
END
$$;

CREATE OR REPLACE FUNCTION banter.index_entries(conversations uuid[], read_from bigint[], read_to bigint[],
                                                entry_conversations uuid[], entry_seqs bigint[], targets bigint[],
                                                entry_words text[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM banter.index_slice(conversations, read_from, read_to, entry_conversations, entry_seqs, targets,
                               entry_words);
END
$$;
