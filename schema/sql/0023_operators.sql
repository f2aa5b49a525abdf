-- SPDX-License-Identifier: MIT
-- 0023_operators.sql - users who are administrators, and what they may do to others by commands.
--
-- Whether somebody is one is asked of this table at each command, so taking it away counts from the commit on. Nothing
-- that a client can say writes it: only an operator at the machine does (banter.appoint()), as the schema's owner. The
-- role of a running bridge may only read it.

CREATE TABLE banter.administrators (
    user_id bigint PRIMARY KEY,
    since   timestamptz(3) NOT NULL DEFAULT now()
);
INSERT INTO banter.columns (table_name, column_name, fate)
VALUES ('administrators', 'user_id', 'delete'), ('administrators', 'since', 'row');
ALTER TABLE banter.administrators ALTER COLUMN since SET STATISTICS 0;

CREATE FUNCTION banter.is_administrator(asked_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM banter.administrators a
                     JOIN banter.users u ON u.id = a.user_id AND u.disabled_at IS NULL
                    WHERE a.user_id = asked_id)
$$;

-- Makes a user an administrator, or no longer one, and writes down who did it. The user's id, or NULL: there is no such
-- user to be made one.
CREATE FUNCTION banter.appoint(user_handle text, is_to_be boolean, done_by text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT u.id INTO found_id FROM banter.users u
     WHERE u.handle = user_handle AND (u.disabled_at IS NULL OR NOT is_to_be)
       FOR UPDATE; -- not while the user is disabled or erased
    IF found_id IS NULL THEN
        RETURN NULL;
    END IF;
    IF is_to_be THEN
        INSERT INTO banter.administrators (user_id) VALUES (found_id) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM banter.administrators a WHERE a.user_id = found_id;
    END IF;
    PERFORM banter.audit_add(done_by, CASE WHEN is_to_be THEN 'user_admin' ELSE 'user_noadmin' END, found_id, NULL);
    RETURN found_id;
END
$$;

REVOKE ALL ON FUNCTION banter.appoint(text, boolean, text) FROM PUBLIC;

-- ---------------------------------------------------------------- commands

-- Every command of an operator's begins with it.
CREATE FUNCTION banter.must_be_administrator(actor_id bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT banter.is_administrator(actor_id) THEN
        RAISE EXCEPTION 'only administrators do this' USING ERRCODE = 'BN003';
    END IF;
END
$$;

-- Whom an administrator means: anybody but who has been erased. Who is none learns nothing of who exists.
CREATE FUNCTION banter.operators_target(actor_id bigint, user_handle text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_id bigint;
BEGIN
    PERFORM banter.must_be_administrator(actor_id);
    SELECT u.id INTO found_id FROM banter.users u
     WHERE u.handle = user_handle AND NOT EXISTS (SELECT FROM banter.erasures e WHERE e.user_id = u.id);
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'no such user: %', user_handle USING ERRCODE = 'BN004';
    END IF;
    RETURN found_id;
END
$$;

-- The same, and nobody else disables, enables or erases the user until this transaction ends.
CREATE FUNCTION banter.hold_target(actor_id bigint, user_handle text) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM banter.must_be_administrator(actor_id); -- or everybody could hold anybody
    PERFORM FROM banter.users u WHERE u.handle = user_handle FOR UPDATE;
    RETURN banter.operators_target(actor_id, user_handle); -- as it is after that wait
END
$$;

-- One administrator's lost token must not shut the others out.
CREATE FUNCTION banter.must_not_be_administrator(target_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM banter.administrators a WHERE a.user_id = target_id) THEN
        RAISE EXCEPTION 'this user is an administrator, which must be taken away first' USING ERRCODE = 'BN003';
    END IF;
END
$$;

-- Makes a user, who has no login yet.
CREATE FUNCTION banter.create_user(actor_id bigint, new_handle text, new_name text, new_password_hash text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM banter.must_be_administrator(actor_id);
    made := banter.new_user(new_handle, new_name, NULL, new_password_hash);
    IF made IS NULL THEN
        RAISE EXCEPTION 'this handle is taken' USING ERRCODE = 'BN005';
    END IF;
    RETURN made;
END
$$;

-- A row of banter.users; NULL: the handle is taken, also by somebody who has been erased, or by the likes of whom it would
-- look. That is looked up after the insert, which waits for an erasure that is about to commit, and taken back by the error.
CREATE FUNCTION banter.new_user(new_handle text, new_name text, new_email text, new_password_hash text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO banter.users (handle, name, email, password_hash)
    VALUES (new_handle, new_name, new_email, new_password_hash)
    ON CONFLICT (handle) DO NOTHING
    RETURNING id INTO made;
    IF made IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM banter.erased_handles e WHERE e.hash = banter.handle_hash(new_handle);
    IF FOUND OR starts_with(new_handle, 'erased-') THEN
        RAISE EXCEPTION 'this handle is taken for ever' USING ERRCODE = 'BN005';
    END IF;
    RETURN made;
EXCEPTION
    WHEN SQLSTATE 'BN005' THEN
        RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION banter.create_account(new_handle text, new_name text, new_email text, new_password_hash text,
                                                 session_id uuid, session_device text, new_hash bytea, ttl interval)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint := banter.new_user(new_handle, new_name, new_email, new_password_hash);
BEGIN
    IF made IS NOT NULL THEN
        PERFORM banter.begin_login(made, session_id, session_device, new_hash, ttl);
    END IF;
    RETURN made;
END
$$;

-- Nobody logs in as the user from the commit on, and every login has ended. Returns a row for each of them, or one
-- without a login. Doing it again does no harm.
CREATE FUNCTION banter.disable_user(actor_id bigint, user_handle text)
RETURNS TABLE (user_id bigint, login uuid, ended_at timestamptz(3))
LANGUAGE plpgsql AS $$
DECLARE
    target_id bigint := banter.hold_target(actor_id, user_handle);
BEGIN
    PERFORM banter.must_not_be_administrator(target_id);
    UPDATE banter.users u SET disabled_at = now() WHERE u.id = target_id AND u.disabled_at IS NULL;
    RETURN QUERY
        WITH ended AS (
            DELETE FROM banter.login_sessions s WHERE s.user_id = target_id RETURNING s.id
        )
        SELECT target_id, e.id, clock_timestamp()::timestamptz(3) FROM (VALUES (1)) one (n) LEFT JOIN ended e ON true;
END
$$;

CREATE FUNCTION banter.enable_user(actor_id bigint, user_handle text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    target_id bigint := banter.hold_target(actor_id, user_handle);
BEGIN
    UPDATE banter.users u SET disabled_at = NULL WHERE u.id = target_id;
    RETURN target_id;
END
$$;

-- As banter.begin_erasure().
CREATE FUNCTION banter.erase_user(actor_id bigint, user_handle text)
RETURNS TABLE (user_id bigint, login uuid, ended_at timestamptz(3), erasure uuid)
LANGUAGE plpgsql AS $$
DECLARE
    target_id bigint := banter.hold_target(actor_id, user_handle);
BEGIN
    PERFORM banter.must_not_be_administrator(target_id);
    RETURN QUERY SELECT target_id, e.login, e.ended_at, e.erasure FROM banter.begin_erasure(target_id) e;
END
$$;

-- A user's logins; one row without any if there are none.
CREATE FUNCTION banter.list_sessions(actor_id bigint, user_handle text)
RETURNS TABLE (user_id bigint, disabled boolean, last_seen timestamptz(3), login uuid, device text,
               created_at timestamptz(3), rotated_at timestamptz(3), expires_at timestamptz(3))
LANGUAGE plpgsql STABLE AS $$
DECLARE
    target_id bigint := banter.operators_target(actor_id, user_handle);
BEGIN
    RETURN QUERY
        SELECT u.id, u.disabled_at IS NOT NULL, u.last_seen, s.id, s.device, s.created_at, s.rotated_at, s.expires_at
          FROM banter.users u
          LEFT JOIN banter.login_sessions s ON s.user_id = u.id AND s.expires_at > now()
         WHERE u.id = target_id
         ORDER BY s.rotated_at DESC, s.id;
END
$$;

-- How many rows a table has, with all its partitions: counted while they are few, else what the planner goes by.
CREATE FUNCTION banter.about_rows(asked regclass) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    few     CONSTANT bigint := 50000;
    about   bigint;
    counted bigint;
BEGIN
    SELECT sum(greatest(c.reltuples, 0))::bigint INTO about
      FROM pg_class c
     WHERE c.relkind = 'r' AND c.oid IN (SELECT asked UNION SELECT t.relid FROM pg_partition_tree(asked) t);
    IF about > few THEN
        RETURN about;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) t', asked, few + 1) INTO counted;
    RETURN counted;
END
$$;

CREATE FUNCTION banter.server_stats(actor_id bigint)
RETURNS TABLE (users bigint, conversations bigint, messages bigint, logins bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM banter.must_be_administrator(actor_id);
    RETURN QUERY SELECT banter.about_rows('banter.users'), banter.about_rows('banter.conversations'),
                        banter.about_rows('banter.messages'), banter.about_rows('banter.login_sessions');
END
$$;

-- ---------------------------------------------------------------- what changes elsewhere

-- As before, and 'disabled': the login has ended, and its user has been disabled since, or before. This is told by the
-- login's id alone, of which nobody knows but who had a token of it: its secrets went with it. It is forgotten with
-- banter.ended_logins, after 31 days, and is then 'unknown', as are the logins of users who were erased.
CREATE OR REPLACE FUNCTION banter.renew_login(session_id uuid, presented_generation integer, presented_hash bytea,
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
        IF EXISTS (SELECT FROM banter.ended_logins e
                     JOIN banter.users u ON u.id = e.user_id AND u.disabled_at IS NOT NULL
                    WHERE e.id = session_id
                      AND NOT EXISTS (SELECT FROM banter.erasures x WHERE x.user_id = u.id)) THEN
            outcome := 'disabled';
        END IF;
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

-- Disabled users are users: what is written of them stays.
CREATE OR REPLACE FUNCTION banter.audit_is_of_the_past(actor_id bigint, user_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM (VALUES (actor_id), (user_id)) AS w (id)
                    WHERE w.id IS NOT NULL
                      AND (NOT EXISTS (SELECT FROM banter.users u WHERE u.id = w.id)
                           OR EXISTS (SELECT FROM banter.erasures x WHERE x.user_id = w.id)))
$$;
