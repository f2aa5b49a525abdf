-- SPDX-License-Identifier: MIT
-- 0009_profile.sql - what users show of themselves, and to whom.

-- Visibilities: 0 nobody, 1 contacts (who may see one's presence too), 2 everyone.
ALTER TABLE banter.users
    ADD COLUMN email_visibility     smallint NOT NULL DEFAULT 0 CHECK (email_visibility BETWEEN 0 AND 2),
    ADD COLUMN last_seen_visibility smallint NOT NULL DEFAULT 1 CHECK (last_seen_visibility BETWEEN 0 AND 2),
    ADD COLUMN avatar               uuid,     -- the blob's name
    ADD COLUMN avatar_type          smallint, -- enum image_type (bridge/core/image.h)
    ADD CHECK ((avatar IS NULL) = (avatar_type IS NULL));

-- Whether the reader may see what its owner gave this visibility.
CREATE FUNCTION banter.may_see(visibility smallint, owner_id bigint, reader_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN owner_id = reader_id OR visibility = 2
        OR (visibility = 1 AND banter.may_see_presence(reader_id, owner_id));
END
$$;

-- A user as the reader sees them. No row: there is no such user.
CREATE FUNCTION banter.profile_for(reader_id bigint, user_handle text)
RETURNS TABLE (own boolean, handle text, name text, created_at timestamptz(3), avatar uuid, email text,
               last_seen timestamptz(3), email_visibility smallint, last_seen_visibility smallint)
LANGUAGE sql STABLE AS $$
    SELECT u.id = reader_id, u.handle, u.name, u.created_at, u.avatar,
           CASE WHEN u.email IS NOT NULL AND banter.may_see(u.email_visibility, u.id, reader_id) THEN u.email END,
           CASE WHEN u.last_seen IS NOT NULL AND banter.may_see(u.last_seen_visibility, u.id, reader_id)
                THEN u.last_seen END,
           u.email_visibility, u.last_seen_visibility
      FROM banter.users u
     WHERE u.handle = user_handle AND u.disabled_at IS NULL
$$;

-- Changes what is given of one's own profile: a name or an e-mail address that is empty is taken away, NULL leaves
-- everything as it is. Returns the profile as it is then.
CREATE FUNCTION banter.modify_profile(actor_id bigint, new_name text, new_email text, new_email_visibility integer,
                                      new_last_seen_visibility integer)
RETURNS TABLE (own boolean, handle text, name text, created_at timestamptz(3), avatar uuid, email text,
               last_seen timestamptz(3), email_visibility smallint, last_seen_visibility smallint)
LANGUAGE plpgsql AS $$
DECLARE
    own_handle text := banter.actor_handle(actor_id);
BEGIN
    UPDATE banter.users u
       SET name = CASE WHEN new_name IS NULL THEN u.name ELSE nullif(new_name, '') END,
           email = CASE WHEN new_email IS NULL THEN u.email ELSE nullif(new_email, '') END,
           email_visibility = coalesce(new_email_visibility, u.email_visibility),
           last_seen_visibility = coalesce(new_last_seen_visibility, u.last_seen_visibility)
     WHERE u.id = actor_id;
    RETURN QUERY SELECT p.* FROM banter.profile_for(actor_id, own_handle) p;
END
$$;

-- Sets or, with NULL, takes away the user's picture. Returns the blob that nobody needs any more, or NULL.
CREATE FUNCTION banter.replace_avatar(actor_id bigint, new_avatar uuid, new_type integer) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    old_avatar uuid;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    SELECT u.avatar INTO old_avatar FROM banter.users u WHERE u.id = actor_id FOR UPDATE;
    UPDATE banter.users u SET avatar = new_avatar, avatar_type = new_type WHERE u.id = actor_id;
    RETURN old_avatar;
END
$$;
