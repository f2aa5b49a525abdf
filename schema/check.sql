-- SPDX-License-Identifier: MIT
-- check.sql - what must always hold, as queries that return no row. Run it with psql -XAtq -f at any
-- moment, under load too.
-- Each row of an answer names the broken invariant and where.

SELECT 'seq is not dense from 1 to last_seq' AS broken, c.id AS conversation,
       format('last_seq %s, %s entries from %s to %s', c.last_seq, e.count, e.first, e.last) AS detail
  FROM banter.conversations c
  LEFT JOIN (SELECT conversation, count(*) AS count, min(seq) AS first, max(seq) AS last
               FROM banter.messages GROUP BY conversation) e ON e.conversation = c.id
 WHERE c.last_seq <> coalesce(e.count, 0) OR c.last_seq <> coalesce(e.last, 0) OR e.first <> 1;

SELECT 'a draft is stored twice', conversation, format('sender %s, id %s, %s times', sender, id, count(*))
  FROM banter.messages
 WHERE id IS NOT NULL
 GROUP BY conversation, sender, id
HAVING count(*) > 1;

SELECT 'an entry has no conversation', e.conversation, format('seq %s', e.seq)
  FROM banter.messages e
 WHERE NOT EXISTS (SELECT FROM banter.conversations c WHERE c.id = e.conversation);

SELECT 'an entry has no sender', e.conversation, format('seq %s, sender %s', e.seq, e.sender)
  FROM banter.messages e
 WHERE NOT EXISTS (SELECT FROM banter.users u WHERE u.id = e.sender);

SELECT 'an entry lacks what its kind needs', conversation, format('seq %s, kind %s', seq, kind)
  FROM banter.messages
 WHERE CASE kind
           WHEN 1 THEN id IS NULL OR target IS NOT NULL
                       OR data IS DISTINCT FROM CASE WHEN text IS NULL THEN '{"deleted":true}' END
           WHEN 2 THEN id IS NULL OR target IS NULL
                       OR data IS DISTINCT FROM CASE WHEN text IS NULL THEN '{"deleted":true}' END
           WHEN 3 THEN id IS NULL OR target IS NULL OR text IS NOT NULL OR data IS NOT NULL
           WHEN 4 THEN id IS NULL OR target IS NULL OR text IS NULL OR data <> '{"remove":true}'
           WHEN 10 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL OR seq <> 1
           WHEN 11 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL
           WHEN 12 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL
           WHEN 13 THEN id IS NOT NULL OR text IS NOT NULL
           ELSE true
       END;

SELECT 'a reply answers nothing before it', e.conversation, format('seq %s replies to %s', e.seq, e.reply_to)
  FROM banter.messages e
 WHERE e.reply_to NOT BETWEEN 1 AND e.seq - 1;

SELECT 'an entry concerns no message before it', e.conversation, format('seq %s concerns %s', e.seq, e.target)
  FROM banter.messages e
 WHERE e.target IS NOT NULL
   AND NOT EXISTS (SELECT FROM banter.messages m
                    WHERE m.conversation = e.conversation AND m.seq = e.target AND m.kind = 1 AND m.seq < e.seq);

SELECT 'a deleted message has a text left', e.conversation, format('seq %s of %s', e.seq, d.target)
  FROM banter.messages d
  JOIN banter.messages e ON e.conversation = d.conversation
                        AND (e.seq = d.target OR (e.target = d.target AND e.kind = 2))
 WHERE d.kind = 3 AND e.text IS NOT NULL;

SELECT 'a message is edited, deleted or reacted to after its deletion', e.conversation, format('seq %s', e.seq)
  FROM banter.messages d
  JOIN banter.messages e ON e.conversation = d.conversation AND e.target = d.target AND e.seq > d.seq
 WHERE d.kind = 3;

SELECT 'the edits of a message are not those of the log', conversation, format('target %s', target)
  FROM (SELECT conversation, target, array_agg(seq ORDER BY seq) AS seqs
          FROM banter.messages WHERE kind = 2 GROUP BY conversation, target) m
  FULL JOIN banter.edits e USING (conversation, target)
 WHERE m.seqs IS DISTINCT FROM e.seqs;

SELECT 'the reactions to a message are not those of the log', r.conversation,
       format('target %s, %s: %s, by the log %s', r.target, r.emoji, r.kept, r.logged)
  FROM (SELECT conversation, target, emoji, coalesce(k.count, 0) AS kept, coalesce(m.count, 0) AS logged
          FROM (SELECT conversation, target, emoji, count(*) FILTER (WHERE adds)
                  FROM (SELECT DISTINCT ON (conversation, target, text, sender)
                               conversation, target, text AS emoji, data IS NULL AS adds
                          FROM banter.messages WHERE kind = 4
                         ORDER BY conversation, target, text, sender, seq DESC) newest
                 GROUP BY conversation, target, emoji) m
          FULL JOIN banter.reactions k USING (conversation, target, emoji)) r
 WHERE r.logged <> r.kept
    OR r.logged <> (SELECT count(*) FROM banter.reactors a
                     WHERE (a.conversation, a.target, a.emoji) = (r.conversation, r.target, r.emoji)
                       AND NOT a.removed);

SELECT 'a membership has no conversation', m.conversation, format('user %s', m.user_id)
  FROM banter.members m
 WHERE NOT EXISTS (SELECT FROM banter.conversations c WHERE c.id = m.conversation);

SELECT 'a membership has no user', m.conversation, format('user %s', m.user_id)
  FROM banter.members m
 WHERE NOT EXISTS (SELECT FROM banter.users u WHERE u.id = m.user_id);

SELECT 'a conversation has no creator', c.id, format('created by %s', c.created_by)
  FROM banter.conversations c
 WHERE NOT EXISTS (SELECT FROM banter.users u WHERE u.id = c.created_by);

SELECT 'a direct conversation has not its one or two members', c.id, format('%s members', m.count)
  FROM banter.conversations c
 CROSS JOIN LATERAL (SELECT count(*) FROM banter.members m WHERE m.conversation = c.id) m
 WHERE c.kind = 1 AND m.count NOT IN (1, 2);

SELECT 'a direct conversation has another role than member', m.conversation,
       format('user %s, role %s', m.user_id, m.role)
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE c.kind = 1 AND m.role <> 2;

SELECT 'a group with members has no owner', m.conversation, format('%s members', count(*))
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE c.kind = 2
 GROUP BY m.conversation
HAVING max(m.role) < 4;

SELECT 'a group does not begin with its creation', c.id, NULL
  FROM banter.conversations c
 WHERE c.kind = 2
   AND NOT EXISTS (SELECT FROM banter.messages e WHERE e.conversation = c.id AND e.seq = 1 AND e.kind = 10);

SELECT 'a cursor is beyond the log', m.conversation,
       format('user %s: joined %s, received %s, read %s, last_seq %s', m.user_id, m.joined_seq, m.received_seq,
              m.read_seq, c.last_seq)
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE greatest(m.joined_seq, m.received_seq, m.read_seq) > c.last_seq
    OR least(m.joined_seq, m.received_seq, m.read_seq) < 0;
