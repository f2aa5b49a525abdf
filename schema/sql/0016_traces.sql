-- SPDX-License-Identifier: MIT
-- 0016_traces.sql - the trace of a change of rights is left by those who lock the conversation's row anyway.
--
-- The triggers of 0015 made everybody lock that row, also who had locked the channel's row first: leaving a channel, and
-- giving its members another role, waited for posts, and for commands that lock both rows in the other order.
-- These two need no trace. Who leaves may have a draft under way; how long the roles of a channel take to follow its
-- "posting" is nobody's promise.

DROP TRIGGER note_end ON banter.members;
DROP TRIGGER note_role ON banter.members;
DROP FUNCTION banter.note_rights();

-- As before, and leaves a trace.
CREATE OR REPLACE FUNCTION banter.lock_group(actor_id bigint, conversation_id uuid) RETURNS smallint
LANGUAGE plpgsql AS $$
DECLARE
    found_kind smallint;
    found_role smallint;
BEGIN
    UPDATE banter.conversations c SET rights = pg_current_xact_id()
     WHERE c.id = conversation_id AND c.deleted_at IS NULL
    RETURNING c.kind INTO found_kind;
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

-- As before, and leaves a trace.
CREATE OR REPLACE FUNCTION banter.settle_direct(conversation_id uuid, uid_a bigint, uid_b bigint)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    wanted smallint := banter.direct_role(uid_a, uid_b);
BEGIN
    UPDATE banter.conversations c SET rights = pg_current_xact_id() WHERE c.id = conversation_id;
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
