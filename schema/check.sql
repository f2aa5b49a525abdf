-- SPDX-License-Identifier: MIT
-- check.sql - what must always hold, as queries that return no row. Run it with psql -XAtq -f at any
-- moment, under load too.
-- Each row of an answer names the broken invariant and where.

SELECT 'seq is not dense from 1 to last_seq' AS broken, c.id AS conversation,
       format('last_seq %s, %s entries from %s to %s', c.last_seq, e.count, e.first, e.last) AS detail
  FROM banter.conversations c
  LEFT JOIN (SELECT conversation, count(*) AS count, min(seq) AS first, max(seq) AS last
               FROM banter.messages GROUP BY conversation) e ON e.conversation = c.id
 WHERE c.deleted_at IS NULL
   AND (c.last_seq <> coalesce(e.count, 0) OR c.last_seq <> coalesce(e.last, 0) OR e.first <> 1);

SELECT 'a conversation is of no kind', c.id, format('kind %s', c.kind)
  FROM banter.conversations c
 WHERE c.kind NOT IN (1, 2, 3);

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
  FROM banter.messages e
 WHERE (id IS NOT NULL OR kind > 4 OR NOT EXISTS (SELECT FROM banter.erasures x WHERE x.user_id = e.sender))
   AND CASE kind
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
           WHEN 15 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL
           WHEN 16 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL
           WHEN 17 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NULL
           WHEN 18 THEN id IS NOT NULL OR text IS NOT NULL OR data IS NOT NULL
           WHEN 19 THEN id IS NOT NULL OR text IS NOT NULL
           ELSE true
       END;

SELECT 'an entry of an erased user has something left', e.conversation, format('seq %s, kind %s', e.seq, e.kind)
  FROM banter.messages e
  JOIN banter.erasures x ON x.user_id = e.sender
 WHERE (e.id IS NULL AND e.kind <= 4
        AND (e.text IS NOT NULL OR e.data IS DISTINCT FROM CASE WHEN e.kind <> 3 THEN '{"deleted":true}' END))
    OR (e.id IS NOT NULL AND x.finished_at IS NOT NULL);

SELECT 'an erased user is a member of a group or channel', m.conversation, format('user %s', m.user_id)
  FROM banter.members m
  JOIN banter.erasures x ON x.user_id = m.user_id AND x.finished_at IS NOT NULL
  JOIN banter.conversations c ON c.id = m.conversation AND c.kind <> 1;

SELECT 'a reply answers nothing before it', e.conversation, format('seq %s replies to %s', e.seq, e.reply_to)
  FROM banter.messages e
 WHERE e.reply_to NOT BETWEEN 1 AND e.seq - 1;

SELECT 'an entry concerns no message before it', e.conversation, format('seq %s concerns %s', e.seq, e.target)
  FROM banter.messages e
 WHERE e.target IS NOT NULL
   AND NOT EXISTS (SELECT FROM banter.messages m
                    WHERE m.conversation = e.conversation AND m.seq = e.target AND m.kind = 1 AND m.seq < e.seq)
   AND NOT EXISTS (SELECT FROM banter.chores o WHERE o.conversation = e.conversation AND o.chore = 1);

SELECT 'a deleted message has a text left', e.conversation, format('seq %s of %s', e.seq, d.target)
  FROM banter.messages d
  JOIN banter.messages e ON e.conversation = d.conversation
                        AND (e.seq = d.target OR (e.target = d.target AND e.kind = 2))
 WHERE d.kind = 3 AND e.text IS NOT NULL;

SELECT 'a message is edited, deleted or reacted to after its deletion', e.conversation, format('seq %s', e.seq)
  FROM banter.messages d
  JOIN banter.messages e ON e.conversation = d.conversation AND e.target = d.target AND e.seq > d.seq
 WHERE d.kind = 3;

SELECT 'an edit of a message without a text has one', e.conversation, format('seq %s of %s', e.seq, e.target)
  FROM banter.messages e
  JOIN banter.messages m ON m.conversation = e.conversation AND m.seq = e.target
 WHERE e.kind = 2 AND e.text IS NOT NULL AND m.text IS NULL;

SELECT 'a text is left that retention has erased', m.conversation, format('seq %s', m.seq)
  FROM banter.retentions r
  JOIN banter.messages m ON m.conversation = r.conversation AND m.seq <= r.erased_seq
 WHERE m.kind IN (1, 2) AND m.text IS NOT NULL;

SELECT 'the edits of a message are not those of the log', conversation, format('target %s', target)
  FROM (SELECT conversation, target, array_agg(seq ORDER BY seq) AS seqs
          FROM banter.messages WHERE kind = 2 GROUP BY conversation, target) m
  FULL JOIN banter.edits e USING (conversation, target)
 WHERE m.seqs IS DISTINCT FROM e.seqs
   AND NOT EXISTS (SELECT FROM banter.chores o WHERE o.conversation = coalesce(m.conversation, e.conversation) AND o.chore = 1);

SELECT 'the reactions to a message are not those of the log', r.conversation,
       format('target %s, %s: %s, by the log %s', r.target, r.emoji, r.kept, r.logged)
  FROM (SELECT conversation, target, emoji, coalesce(k.count, 0) AS kept, coalesce(m.count, 0) AS logged
          FROM (SELECT conversation, target, emoji, count(*) FILTER (WHERE adds)
                  FROM (SELECT DISTINCT ON (conversation, target, text, sender)
                               conversation, target, text AS emoji, data IS NULL AS adds
                          FROM banter.messages WHERE kind = 4 AND text IS NOT NULL
                         ORDER BY conversation, target, text, sender, seq DESC) newest
                 GROUP BY conversation, target, emoji) m
          FULL JOIN banter.reactions k USING (conversation, target, emoji)) r
 WHERE (r.logged <> r.kept
        OR r.logged <> (SELECT count(*) FROM banter.reactors a
                         WHERE (a.conversation, a.target, a.emoji) = (r.conversation, r.target, r.emoji)
                           AND NOT a.removed))
   AND NOT EXISTS (SELECT FROM banter.chores o WHERE o.conversation = r.conversation AND o.chore = 1);

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

SELECT 'a direct conversation has another role than member, or reader after a block or an erasure', m.conversation,
       format('user %s, role %s', m.user_id, m.role)
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE c.kind = 1
   AND NOT EXISTS (SELECT FROM banter.members o
                     JOIN banter.erasures x ON x.user_id = o.user_id
                    WHERE o.conversation = m.conversation AND (m.role = 1 OR x.finished_at IS NULL))
   AND m.role <> CASE WHEN EXISTS (SELECT FROM banter.members o
                                     JOIN banter.blocks b ON (b.blocker, b.blocked) = (o.user_id, m.user_id)
                                                          OR (b.blocker, b.blocked) = (m.user_id, o.user_id)
                                    WHERE o.conversation = m.conversation)
                      THEN 1 ELSE 2 END;

SELECT 'a direct conversation was deleted', c.id, NULL
  FROM banter.conversations c
 WHERE c.kind = 1 AND c.deleted_at IS NOT NULL;

SELECT 'a group or channel with members has no owner', m.conversation, format('%s members', count(*))
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE c.kind <> 1 AND c.deleted_at IS NULL
   AND (c.kind = 2 OR NOT EXISTS (SELECT FROM banter.messages e -- whom could it have passed to?
                                   WHERE e.conversation = c.id AND e.kind >= 10
                                     AND EXISTS (SELECT FROM banter.erasures x WHERE x.user_id = e.sender)))
 GROUP BY m.conversation
HAVING max(m.role) < 4;

SELECT 'a group or channel does not begin with its creation', c.id, NULL
  FROM banter.conversations c
 WHERE c.kind <> 1 AND c.deleted_at IS NULL
   AND NOT EXISTS (SELECT FROM banter.messages e WHERE e.conversation = c.id AND e.seq = 1 AND e.kind = 10);

SELECT 'a cursor is beyond the log', m.conversation,
       format('user %s: joined %s, received %s, read %s, last_seq %s', m.user_id, m.joined_seq, m.received_seq,
              m.read_seq, c.last_seq)
  FROM banter.members m
  JOIN banter.conversations c ON c.id = m.conversation
 WHERE greatest(m.joined_seq, m.received_seq, m.read_seq) > c.last_seq
    OR least(m.joined_seq, m.received_seq, m.read_seq) < 0;

SELECT 'a channel has no row of its own, or something else has one', coalesce(c.id, ch.conversation),
       format('kind %s', c.kind)
  FROM banter.conversations c
  FULL JOIN banter.channels ch ON ch.conversation = c.id
 WHERE (c.kind = 3) IS DISTINCT FROM (ch.conversation IS NOT NULL);

SELECT 'a channel has miscounted its members', ch.conversation,
       format('member_count %s, %s members', ch.member_count, m.count)
  FROM banter.channels ch
  JOIN banter.conversations c ON c.id = ch.conversation AND c.deleted_at IS NULL
 CROSS JOIN LATERAL (SELECT count(*) FROM banter.members m WHERE m.conversation = c.id) m
 WHERE ch.member_count <> m.count;

SELECT 'an invite has no conversation to join', i.conversation, format('made by %s', i.created_by)
  FROM banter.invites i
 WHERE NOT EXISTS (SELECT FROM banter.conversations c
                    WHERE c.id = i.conversation AND c.kind <> 1 AND c.deleted_at IS NULL);

SELECT 'a block has no users', NULL::uuid, format('%s blocks %s', b.blocker, b.blocked)
  FROM banter.blocks b
 WHERE (SELECT count(*) FROM banter.users u WHERE u.id IN (b.blocker, b.blocked)) <> 2;

SELECT 'what was deleted is still there, and nobody is to erase it', c.id, NULL
  FROM banter.conversations c
 WHERE c.deleted_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM banter.chores o WHERE o.conversation = c.id AND o.chore = 1)
   AND (EXISTS (SELECT FROM banter.messages e WHERE e.conversation = c.id)
        OR EXISTS (SELECT FROM banter.members m WHERE m.conversation = c.id)
        OR EXISTS (SELECT FROM banter.edits e WHERE e.conversation = c.id)
        OR EXISTS (SELECT FROM banter.reactors r WHERE r.conversation = c.id)
        OR EXISTS (SELECT FROM banter.reactions r WHERE r.conversation = c.id)
        OR EXISTS (SELECT FROM banter.search s WHERE s.conversation = c.id));

SELECT 'a chore has nothing to do it on', o.conversation, format('chore %s', o.chore)
  FROM banter.chores o
 WHERE NOT EXISTS (SELECT FROM banter.conversations c
                    WHERE c.id = o.conversation
                      AND CASE o.chore WHEN 1 THEN c.deleted_at IS NOT NULL
                                       ELSE c.kind = 3 AND c.deleted_at IS NULL END);

SELECT 'a push registration has no user', NULL::uuid, format('%s of user %s', r.id, r.user_id)
  FROM banter.push_registrations r
 WHERE NOT EXISTS (SELECT FROM banter.users u WHERE u.id = r.user_id);

SELECT 'a push registration has outlived its login', NULL::uuid, format('%s of login %s', r.id, r.login)
  FROM banter.push_registrations r
 WHERE r.login IS NOT NULL AND NOT EXISTS (SELECT FROM banter.login_sessions s WHERE s.id = r.login);

SELECT 'a user has too many push registrations', NULL::uuid, format('user %s: %s', r.user_id, count(*))
  FROM banter.push_registrations r
 GROUP BY r.user_id
HAVING count(*) > 20;

SELECT 'a push registration lacks what its provider needs', NULL::uuid, format('%s, provider %s', r.id, r.provider)
  FROM banter.push_registrations r
 WHERE (r.provider = 2) IS DISTINCT FROM (r.p256dh IS NOT NULL AND r.auth IS NOT NULL)
    OR (r.provider = 3) IS DISTINCT FROM (r.secret IS NOT NULL);

SELECT 'the outbox of push holds what is not in the log', o.conversation, format('seq %s to %s', o.from_seq, o.seq)
  FROM banter.push_outbox o
  JOIN banter.conversations c ON c.id = o.conversation AND c.deleted_at IS NULL
 WHERE NOT EXISTS (SELECT FROM banter.messages e
                    WHERE e.conversation = o.conversation AND e.seq = o.seq AND e.kind = 1)
    OR o.from_seq NOT BETWEEN 1 AND o.seq;

SELECT 'a push job is beyond the log', j.conversation, format('registration %s, seq %s', j.registration, j.seq)
  FROM banter.push_jobs j
  JOIN banter.conversations c ON c.id = j.conversation
 WHERE j.seq > c.last_seq;
