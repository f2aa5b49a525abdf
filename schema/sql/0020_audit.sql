-- SPDX-License-Identifier: MIT
-- 0020_audit.sql - who did what that matters for security: written once, read by operators, deleted when it is old.
--
-- Nothing on the path of a message writes here. Users stand here by number alone, so who has been erased is nobody here
-- either, once banter.audit_forget() has taken what else could tell.

CREATE TABLE banter.audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- so that what is written again is one row
    at       timestamptz(3) NOT NULL DEFAULT now(),
    node     text,                                           -- that saw it; NULL: done in the database
    actor    text NOT NULL CHECK (actor IN ('nobody', 'operator', 'system', 'user')), -- nobody: who has not proved more
    actor_id bigint,                                         -- a user: which one
    operator text,                                           -- an operator: who, on that machine
    action   text NOT NULL,
    user_id  bigint,                                         -- on whom
    object   text,                                           -- on what else: a conversation, a login, a key
    address  text,                                           -- from where, if that is known
    result   text NOT NULL,                                  -- "ok", or the code of the refusal
    detail   text,
    CHECK ((actor = 'user') = (actor_id IS NOT NULL) AND (actor = 'operator') = (operator IS NOT NULL))
);
CREATE INDEX audit_by_time ON banter.audit (at);
CREATE INDEX audit_by_action ON banter.audit (action, id);
CREATE INDEX audit_by_actor ON banter.audit (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_user ON banter.audit (user_id, id) WHERE user_id IS NOT NULL;

-- What is written stays as it is, also for the role that owns the table: but for what tells of somebody who is no user
-- any more, which may be taken away, and for what is older than any time that it is kept for (audit_days in
-- bridge/config.c).
CREATE FUNCTION banter.audit_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.address IS NULL AND NEW.object IS NULL AND NEW.detail IS NULL
           AND (NEW.id, NEW.key, NEW.at, NEW.node, NEW.actor, NEW.actor_id, NEW.operator, NEW.action, NEW.user_id,
                NEW.result)
               IS NOT DISTINCT FROM
               (OLD.id, OLD.key, OLD.at, OLD.node, OLD.actor, OLD.actor_id, OLD.operator, OLD.action, OLD.user_id,
                OLD.result)
           AND banter.audit_is_of_the_past(OLD.actor_id, OLD.user_id) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what banter.audit has is neither changed nor deleted' USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Whether one of them is no user, or no longer.
CREATE FUNCTION banter.audit_is_of_the_past(actor_id bigint, user_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM (VALUES (actor_id), (user_id)) AS w (id)
                    WHERE w.id IS NOT NULL
                      AND NOT EXISTS (SELECT FROM banter.users u WHERE u.id = w.id AND u.disabled_at IS NULL))
$$;

CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON banter.audit
    FOR EACH ROW EXECUTE FUNCTION banter.audit_is_kept();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON banter.audit
    FOR EACH STATEMENT EXECUTE FUNCTION banter.audit_is_kept();

-- What the bridge has seen, as parallel arrays. Written again it is not doubled.
CREATE FUNCTION banter.audit_write(seen_by text, keys uuid[], times bigint[], kinds text[], actors bigint[],
                                   actions text[], users bigint[], objects text[], addresses text[], results text[],
                                   details text[])
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO banter.audit (key, at, node, actor, actor_id, action, user_id, object, address, result, detail)
    SELECT w.key, to_timestamp(w.at / 1000.0), seen_by, w.actor, w.actor_id, w.action, w.user_id, w.object, w.address,
           w.result, w.detail
      FROM unnest(keys, times, kinds, actors, actions, users, objects, addresses, results, details) WITH ORDINALITY
           AS w (key, at, actor, actor_id, action, user_id, object, address, result, detail, ord)
     ORDER BY w.ord
    ON CONFLICT (key) DO NOTHING
$$;

-- What an operator does by a statement or a program of his own, in the same transaction.
CREATE FUNCTION banter.audit_add(done_by text, what text, on_user bigint, on_object text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO banter.audit (actor, operator, action, user_id, object, result)
    VALUES ('operator', done_by, what, on_user, on_object, 'ok')
$$;

-- Takes away what tells more of an erased user than a number: addresses, names of devices, ids of logins. The user must
-- have been disabled. Returns how many rows that were; doing it again does no harm.
CREATE FUNCTION banter.audit_forget(uid bigint) RETURNS bigint
LANGUAGE sql AS $$
    WITH forgotten AS (
        UPDATE banter.audit a SET address = NULL, object = NULL, detail = NULL
         WHERE (a.actor_id = uid OR a.user_id = uid)
           AND (a.address IS NOT NULL OR a.object IS NOT NULL OR a.detail IS NOT NULL)
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;

-- Deletes up to so many of the oldest rows, beyond the time that they are kept for. Returns how many.
CREATE FUNCTION banter.audit_expire(days integer, most integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH expired AS (
        DELETE FROM banter.audit
         WHERE id IN (SELECT a.id FROM banter.audit a
                       WHERE a.at < now() - make_interval(days => days)
                       ORDER BY a.at LIMIT most
                         FOR UPDATE SKIP LOCKED)
        RETURNING 1
    )
    SELECT count(*) FROM expired
$$;

-- A page, newest first: what comes before this id, of this action and about this user, if given. Of 1,000,000 rows it
-- takes 1 to 5 ms; to look through them all took 600.
CREATE FUNCTION banter.audit_page(before bigint, most integer, only_action text, only_user text)
RETURNS TABLE (id bigint, at timestamptz(3), node text, by text, actor text, action text, "user" text, object text,
               address text, result text, detail text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    page bigint[]; -- each found by an index that has it in its order
BEGIN
    IF only_user IS NOT NULL THEN
        page := ARRAY(SELECT * FROM banter.audit_page_of_user(before, most, only_action, only_user));
    ELSIF only_action IS NOT NULL THEN
        page := ARRAY(SELECT a.id FROM banter.audit a
                       WHERE a.action = only_action AND a.id < before ORDER BY a.id DESC LIMIT most);
    ELSE
        page := ARRAY(SELECT a.id FROM banter.audit a WHERE a.id < before ORDER BY a.id DESC LIMIT most);
    END IF;
    RETURN QUERY
        SELECT a.id, a.at, a.node, a.actor, coalesce(w.handle, a.operator, a.actor_id::text), a.action,
               coalesce(u.handle, a.user_id::text), a.object, a.address, a.result, a.detail
          FROM banter.audit a
          LEFT JOIN banter.users w ON w.id = a.actor_id
          LEFT JOIN banter.users u ON u.id = a.user_id
         WHERE a.id = ANY (page)
         ORDER BY a.id DESC;
END
$$;

-- Its rows' ids, where the user did something or something was done to the user.
CREATE FUNCTION banter.audit_page_of_user(before bigint, most integer, only_action text, only_user text)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked_id bigint;
BEGIN
    SELECT u.id INTO asked_id FROM banter.users u WHERE u.handle = only_user;
    RETURN QUERY
        (SELECT a.id FROM banter.audit a
          WHERE a.actor_id = asked_id AND a.id < before AND (only_action IS NULL OR a.action = only_action)
          ORDER BY a.id DESC LIMIT most)
        UNION
        (SELECT a.id FROM banter.audit a
          WHERE a.user_id = asked_id AND a.id < before AND (only_action IS NULL OR a.action = only_action)
          ORDER BY a.id DESC LIMIT most)
        ORDER BY 1 DESC LIMIT most;
END
$$;
