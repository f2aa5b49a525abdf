-- SPDX-License-Identifier: MIT
-- 0011_profiles_and_invites.sql - what changed in a profile is told; invites that can be listed.

-- ---------------------------------------------------------------- profiles

DROP FUNCTION banter.modify_profile(bigint, text, text, integer, integer);

-- Changes what is given of one's own profile: a name or an e-mail address that is empty is taken away, NULL leaves
-- everything as it is. Returns the profile as it is then, and whether that is another than before.
CREATE FUNCTION banter.modify_profile(actor_id bigint, new_name text, new_email text, new_email_visibility integer,
                                      new_last_seen_visibility integer)
RETURNS TABLE (own boolean, handle text, name text, created_at timestamptz(3), avatar uuid, email text,
               last_seen timestamptz(3), email_visibility smallint, last_seen_visibility smallint, hidden boolean,
               changed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
    was        banter.users;
    became     banter.users;
BEGIN
    SELECT u.* INTO was FROM banter.users u WHERE u.id = actor_id FOR NO KEY UPDATE;
    UPDATE banter.users u
       SET name = CASE WHEN new_name IS NULL THEN u.name ELSE nullif(new_name, '') END,
           email = CASE WHEN new_email IS NULL THEN u.email ELSE nullif(new_email, '') END,
           email_visibility = coalesce(new_email_visibility, u.email_visibility),
           last_seen_visibility = coalesce(new_last_seen_visibility, u.last_seen_visibility)
     WHERE u.id = actor_id
    RETURNING u.* INTO became;
    RETURN QUERY SELECT p.*, became.hidden, was IS DISTINCT FROM became FROM banter.profile_for(actor_id, own_handle) p;
END
$$;

-- ---------------------------------------------------------------- invites

-- By which it is known to those who may list and revoke it. The bridge's rise with time; it helps nobody to join.
ALTER TABLE banter.invites ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE banter.invites ALTER COLUMN id DROP DEFAULT;
CREATE UNIQUE INDEX invites_by_id ON banter.invites (id);

DROP FUNCTION banter.create_invite(bigint, uuid, bytea, bigint, integer);
DROP FUNCTION banter.revoke_invites(bigint, uuid, bytea);

-- `uses` and `ttl_s` NULL: without bound.
CREATE FUNCTION banter.create_invite(actor_id bigint, conversation_id uuid, invite_id uuid, invite_hash bytea,
                                     ttl_s bigint, uses integer)
RETURNS timestamptz(3)
LANGUAGE plpgsql AS $$
DECLARE
    invites_max constant integer := 100;
    expiry      timestamptz(3) := now() + ttl_s * interval '1 second';
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF banter.lock_group(actor_id, conversation_id) < 3 THEN
        RAISE EXCEPTION 'only owners and admins invite' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.invites i
     WHERE i.conversation = conversation_id AND (i.expires_at <= now() OR i.uses_left = 0);
    IF (SELECT count(*) FROM banter.invites i WHERE i.conversation = conversation_id) >= invites_max THEN
        RAISE EXCEPTION 'a conversation has at most % invites: revoke some', invites_max USING ERRCODE = 'BN007';
    END IF;
    INSERT INTO banter.invites (id, hash, conversation, created_by, expires_at, uses_left)
    VALUES (invite_id, invite_hash, conversation_id, actor_id, expiry, uses);
    RETURN expiry;
END
$$;

-- Without an id, all of the conversation's. How many there were.
CREATE FUNCTION banter.revoke_invites(actor_id bigint, conversation_id uuid, invite_id uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    revoked bigint;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF banter.lock_group(actor_id, conversation_id) < 3 THEN
        RAISE EXCEPTION 'only owners and admins revoke invites' USING ERRCODE = 'BN003';
    END IF;
    DELETE FROM banter.invites i
     WHERE i.conversation = conversation_id AND (invite_id IS NULL OR i.id = invite_id);
    GET DIAGNOSTICS revoked = ROW_COUNT;
    RETURN revoked;
END
$$;

-- Those that are still good, in the order of their ids.
CREATE FUNCTION banter.list_invites(actor_id bigint, conversation_id uuid, after_id uuid, most bigint)
RETURNS TABLE (id uuid, created_at timestamptz(3), created_by text, expires_at timestamptz(3), uses_left integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_kind smallint;
    found_role smallint;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    SELECT c.kind, m.role INTO found_kind, found_role
      FROM banter.members m
      JOIN banter.conversations c ON c.id = m.conversation AND c.deleted_at IS NULL
     WHERE m.conversation = conversation_id AND m.user_id = actor_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such conversation, or you are not a member of it' USING ERRCODE = 'BN004';
    END IF;
    IF found_kind = 1 THEN
        RAISE EXCEPTION 'a direct conversation has no invites' USING ERRCODE = 'BN003';
    END IF;
    IF found_role < 3 THEN
        RAISE EXCEPTION 'only owners and admins list invites' USING ERRCODE = 'BN003';
    END IF;
    RETURN QUERY
        SELECT i.id, i.created_at, u.handle, i.expires_at, i.uses_left
          FROM banter.invites i
          JOIN banter.users u ON u.id = i.created_by
         WHERE i.conversation = conversation_id AND (after_id IS NULL OR i.id > after_id)
           AND (i.expires_at IS NULL OR i.expires_at > now()) AND (i.uses_left IS NULL OR i.uses_left > 0)
         ORDER BY i.id
         LIMIT most;
END
$$;
