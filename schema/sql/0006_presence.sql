-- SPDX-License-Identifier: MIT
-- 0006_presence.sql - what is kept of users' presence, and who may see it.

ALTER TABLE banter.users
    ADD COLUMN last_seen timestamptz(3),                -- a lower bound while the user is online
    ADD COLUMN hidden    boolean NOT NULL DEFAULT false; -- shown as offline, at their own wish
ALTER TABLE banter.users SET (fillfactor = 80); -- last_seen is no part of an index: keep its updates HOT

-- Oneself, and those who share a direct conversation or a group. A reader of a direct conversation is one who is
-- blocked there, or has blocked.
CREATE FUNCTION banter.may_see_presence(watcher_id bigint, target_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT watcher_id = target_id OR EXISTS (
        SELECT
          FROM banter.members w
          JOIN banter.members t ON t.conversation = w.conversation AND t.user_id = target_id
          JOIN banter.conversations c ON c.id = w.conversation
         WHERE w.user_id = watcher_id
           AND (c.kind = 2 OR (c.kind = 1 AND w.role >= 2 AND t.role >= 2)))
$$;
