-- SPDX-License-Identifier: MIT
-- 0010_presence_of_blocked.sql - a block hides two users from each other also where they share a group, and a deleted
-- group shows nobody any more.

CREATE OR REPLACE FUNCTION banter.may_see_presence(watcher_id bigint, target_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT watcher_id = target_id OR (
        banter.direct_role(watcher_id, target_id) = 2
        AND EXISTS (
            SELECT
              FROM banter.members w
              JOIN banter.members t ON t.conversation = w.conversation AND t.user_id = target_id
              JOIN banter.conversations c ON c.id = w.conversation AND c.deleted_at IS NULL
             WHERE w.user_id = watcher_id AND c.kind IN (1, 2)))
$$;
