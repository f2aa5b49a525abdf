-- SPDX-License-Identifier: MIT
-- 0015_rights.sql - a trace of each change of rights in the conversation's row.
--
-- The writer stores most drafts without locking their conversations first: it reads heads and roles, and sets the head
-- only if the row still says what it said. An end of a membership or another role that leaves no entry (blocks,
-- channels) would go unnoticed there. New members need no trace: who was none a moment ago is looked at again.

-- The last transaction that took or changed a right.
ALTER TABLE banter.conversations ADD COLUMN rights xid8 NOT NULL DEFAULT '0';

CREATE FUNCTION banter.note_rights() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE banter.conversations c SET rights = pg_current_xact_id()
     WHERE c.id = OLD.conversation AND c.rights <> pg_current_xact_id();
    RETURN NULL;
END
$$;

CREATE TRIGGER note_end AFTER DELETE ON banter.members
    FOR EACH ROW EXECUTE FUNCTION banter.note_rights();
CREATE TRIGGER note_role AFTER UPDATE OF role ON banter.members
    FOR EACH ROW WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION banter.note_rights();

-- Ends the batch unless as many drafts were stored as were sent.
CREATE FUNCTION banter.expect_stored(sent integer, stored bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF stored IS DISTINCT FROM sent THEN
        RAISE EXCEPTION 'of % drafts % can be stored without a look', sent, coalesce(stored, 0) USING ERRCODE = 'BT002';
    END IF;
    RETURN true;
END
$$;
