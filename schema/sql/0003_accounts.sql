-- SPDX-License-Identifier: MIT
-- 0003_accounts.sql - login sessions: each is one chain of refresh tokens, of which only the newest counts.

CREATE TABLE banter.login_sessions (
    id            uuid PRIMARY KEY,            -- random: it is a part of the refresh token
    user_id       bigint NOT NULL,
    device        text COLLATE "C",            -- the only device its access tokens may connect as, or NULL
    generation    integer NOT NULL DEFAULT 1,  -- of the newest refresh token
    secret_hash   bytea NOT NULL,              -- SHA-256 of that token's secret
    previous_hash bytea,                       -- of the one before it
    retry_hash    bytea,                       -- SHA-256 of the key that came with the last exchange, or NULL
    rotated_at    timestamptz(3) NOT NULL DEFAULT now(),
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    expires_at    timestamptz(3) NOT NULL      -- moves on with each use
);
CREATE INDEX login_sessions_by_user ON banter.login_sessions (user_id, rotated_at);
COMMENT ON TABLE banter.login_sessions IS 'Ended sessions are deleted: their tokens are then unknown.';

-- Begins a session, and ends the user's expired ones and, beyond 100, the least recently used.
CREATE FUNCTION banter.begin_login(owner_id bigint, session_id uuid, session_device text, new_hash bytea,
                                   ttl interval)
RETURNS void
LANGUAGE sql AS $$
    DELETE FROM banter.login_sessions
     WHERE user_id = owner_id
       AND (expires_at < now()
            OR id IN (SELECT s.id FROM banter.login_sessions s WHERE s.user_id = owner_id
                       ORDER BY s.rotated_at DESC OFFSET 99));
    INSERT INTO banter.login_sessions (id, user_id, device, secret_hash, expires_at)
    VALUES (session_id, owner_id, session_device, new_hash, now() + ttl)
$$;

-- Makes a user and their first session; the user's id, or NULL when the handle is taken.
CREATE FUNCTION banter.create_account(new_handle text, new_name text, new_email text, new_password_hash text,
                                      session_id uuid, session_device text, new_hash bytea, ttl interval)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO banter.users (handle, name, email, password_hash)
    VALUES (new_handle, new_name, new_email, new_password_hash)
    ON CONFLICT (handle) DO NOTHING
    RETURNING id INTO made;
    IF made IS NOT NULL THEN
        PERFORM banter.begin_login(made, session_id, session_device, new_hash, ttl);
    END IF;
    RETURN made;
END
$$;

-- Exchanges a refresh token for the next. `outcome`: 'renewed'; 'unknown'; or 'reused', and then the session has been
-- ended, because either its owner or a thief holds a token that the other one has already used.
--
-- The answer to an exchange may be lost on its way. Whoever sent a retry key with it may try again for the length of
-- `grace`, with the token just used and that key; the lost token is replaced, and counts as used from then on.
CREATE FUNCTION banter.renew_login(session_id uuid, presented_generation integer, presented_hash bytea,
                                   new_hash bytea, presented_retry_hash bytea, ttl interval, grace interval)
RETURNS TABLE (outcome text, owner_id bigint, owner_handle text, session_device text, new_generation integer)
LANGUAGE plpgsql AS $$
DECLARE
    s         banter.login_sessions;
    is_newest boolean;
    is_lost   boolean;
BEGIN
    SELECT * INTO s FROM banter.login_sessions l WHERE l.id = session_id FOR UPDATE;
    SELECT u.handle INTO owner_handle FROM banter.users u WHERE u.id = s.user_id AND u.disabled_at IS NULL;
    IF owner_handle IS NULL OR s.expires_at < now() OR presented_generation > s.generation THEN
        outcome := 'unknown';
        RETURN NEXT;
        RETURN;
    END IF;
    is_newest := presented_generation = s.generation AND presented_hash = s.secret_hash;
    is_lost := presented_generation = s.generation - 1 AND presented_hash = s.previous_hash
               AND presented_retry_hash = s.retry_hash AND s.rotated_at > now() - grace;
    IF is_newest THEN
        UPDATE banter.login_sessions l
           SET generation = l.generation + 1, previous_hash = l.secret_hash, secret_hash = new_hash,
               retry_hash = presented_retry_hash, rotated_at = now(), expires_at = now() + ttl
         WHERE l.id = session_id
        RETURNING l.generation INTO new_generation;
        outcome := 'renewed';
    ELSIF is_lost THEN
        UPDATE banter.login_sessions l SET secret_hash = new_hash WHERE l.id = session_id;
        new_generation := s.generation;
        outcome := 'renewed';
    ELSE
        DELETE FROM banter.login_sessions l WHERE l.id = session_id;
        outcome := 'reused';
    END IF;
    owner_id := s.user_id;
    session_device := s.device;
    RETURN NEXT;
END
$$;
