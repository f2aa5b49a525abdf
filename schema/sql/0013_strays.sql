-- SPDX-License-Identifier: MIT
-- 0013_strays.sql - what was refused leaves no trace in a deleted conversation; who is no member is told so again.

-- Does what the stored entries among these drafts ask for. Harmless to repeat, at any later time. A deleted conversation
-- is left alone: its slices (banter.erase_deleted) may have passed what would be written.
CREATE OR REPLACE FUNCTION banter.fold_entries(conversations uuid[], senders bigint[], ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    entry banter.messages;
BEGIN
    FOR entry IN
        SELECT m.*
          FROM unnest(conversations, senders, ids) AS d (conversation, sender, id)
          JOIN banter.conversations c ON c.id = d.conversation AND c.deleted_at IS NULL
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

-- As before, but the refusal carries the id of the user who is no member (DETAIL), for the bridge to tell the plugin.
CREATE OR REPLACE FUNCTION banter.remove_member(actor_id bigint, conversation_id uuid, other_handle text)
RETURNS SETOF banter.effect
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    own_role   smallint := banter.lock_group(actor_id, conversation_id);
    other_id   bigint;
    other_role smallint;
    entry      banter.effect;
BEGIN
    IF other_handle = own_handle THEN
        RAISE EXCEPTION 'to go yourself, use the command leave' USING ERRCODE = 'BN001';
    END IF;
    IF own_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins remove members' USING ERRCODE = 'BN003';
    END IF;
    SELECT u.id INTO other_id FROM banter.users u WHERE u.handle = other_handle;
    SELECT m.role INTO other_role
      FROM banter.members m
     WHERE m.conversation = conversation_id AND m.user_id = other_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a member: %', other_handle
              USING ERRCODE = 'BN004', DETAIL = coalesce(other_id::text, '');
    END IF;
    IF other_role = 4 AND own_role < 4 THEN
        RAISE EXCEPTION 'only owners remove an owner' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.members m WHERE m.conversation = conversation_id AND m.user_id = other_id;
    IF EXISTS (SELECT FROM banter.channels ch WHERE ch.conversation = conversation_id) THEN
        PERFORM banter.count_members(conversation_id, -1);
        RETURN NEXT banter.member_effect(conversation_id, other_id, 0, NULL);
        RETURN;
    END IF;
    entry := banter.append_entry(conversation_id, actor_id, own_handle, 12,
                                 '{' || banter.members_json(ARRAY[other_handle]) || '}');
    RETURN NEXT banter.member_effect(conversation_id, other_id, 0, entry.seq);
    RETURN NEXT entry;
END
$$;
