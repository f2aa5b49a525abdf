-- SPDX-License-Identifier: MIT
-- 0012_push.sql - telling members who are not there: who wants to be told, of what, and what became of it.
--
-- A text that is committed leaves a row in push_outbox, in the same transaction (bridge/core/ingest/batch.c). The
-- bridge that holds the advisory lock of the expander makes jobs of them, page by page of members; whoever takes jobs
-- leases them. A job stands for all that is new in a conversation for one registration: what comes while it waits
-- joins it. Nothing here is deleted before what follows from it is stored in the same transaction, so nothing is
-- lost in a crash.
--
-- The tables of the queue are empty now and full then, so no plan may depend on their size: rows are looked up by ctid,
-- by an array of keys, or in a subquery that cannot be pulled up (OFFSET 0, FOR UPDATE).
--
-- Lock order: rows of push_jobs by registration, conversation.

-- One device or program that wants to be told, with its address at a push service.
CREATE TABLE banter.push_registrations (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    bigint NOT NULL,
    login      uuid,                       -- which made it; NULL: not known, as over MQTT
    device     text COLLATE "C",           -- the same, or NULL
    provider   smallint NOT NULL CHECK (provider BETWEEN 0 AND 3), -- enum push_provider (bridge/push/push.h)
    address    text COLLATE "C" NOT NULL,  -- token or URL
    p256dh     text COLLATE "C",           -- Web Push: the browser's key
    auth       text COLLATE "C",           -- Web Push: its secret
    secret     text COLLATE "C",           -- webhooks: what signs
    app        text COLLATE "C",           -- APNs: the topic
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    used_at    timestamptz(3) NOT NULL DEFAULT now(), -- registered or told; to the day
    UNIQUE (provider, address)
);
CREATE INDEX push_registrations_by_user ON banter.push_registrations (user_id);

-- Rows live for a moment and go through the whole table: vacuum by number of rows, not by a share of them.
CREATE SEQUENCE banter.push_outbox_ids CACHE 100;
CREATE TABLE banter.push_outbox (
    id           bigint PRIMARY KEY DEFAULT nextval('banter.push_outbox_ids'), -- no order beyond "about when"
    conversation uuid NOT NULL,
    seq          bigint NOT NULL,
    sender       bigint NOT NULL, -- 0: several
    from_seq     bigint,          -- rows that went together: the first seq; NULL: `seq`
    position     bigint           -- members up to this user_id have their jobs; NULL: none yet
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);

CREATE SEQUENCE banter.push_leases CACHE 100;
CREATE TABLE banter.push_jobs (
    registration uuid NOT NULL,
    conversation uuid NOT NULL,
    provider     smallint NOT NULL,
    bulk         boolean NOT NULL,           -- of a channel: goes after the others
    from_seq     bigint NOT NULL,            -- tells of the newest message from here
    seq          bigint NOT NULL,            -- to here
    attempts     smallint NOT NULL DEFAULT 0,
    lease        bigint,                     -- who takes it gets a new one, and alone settles it
    due_at       timestamptz(3) NOT NULL,    -- not to be taken before; while leased, when the lease ends
    created_at   timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (registration, conversation),
    CHECK (from_seq BETWEEN 1 AND seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX push_jobs_due ON banter.push_jobs (provider, bulk, due_at);

-- Jobs that were given up. A newer one of the same registration and conversation replaces the older.
CREATE TABLE banter.push_dead (
    registration uuid NOT NULL,
    conversation uuid NOT NULL,
    provider     smallint NOT NULL,
    bulk         boolean NOT NULL,
    from_seq     bigint NOT NULL,
    seq          bigint NOT NULL,
    attempts     smallint NOT NULL,
    reason       text NOT NULL,
    created_at   timestamptz(3) NOT NULL,
    died_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (registration, conversation)
);
CREATE INDEX push_dead_by_time ON banter.push_dead (died_at);

-- ---------------------------------------------------------------- registrations

-- The same address again renews its registration; that of another user's moves, under a new id. Beyond
-- `registrations_max` the least recently used go.
CREATE FUNCTION banter.register_push(actor_id bigint, by_login uuid, by_device text, new_provider integer,
                                     new_address text, new_p256dh text, new_auth text, new_secret text, new_app text,
                                     registrations_max integer)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    made       uuid;
    own_device text := by_device;
BEGIN
    PERFORM banter.actor_handle(actor_id);
    IF by_login IS NOT NULL THEN
        SELECT coalesce(s.device, by_device) INTO own_device
          FROM banter.login_sessions s WHERE s.id = by_login AND s.user_id = actor_id FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this login has ended' USING ERRCODE = 'BN003';
        END IF;
    END IF;
    INSERT INTO banter.push_registrations AS r
           (user_id, login, device, provider, address, p256dh, auth, secret, app)
    VALUES (actor_id, by_login, own_device, new_provider, new_address, new_p256dh, new_auth, new_secret, new_app)
    ON CONFLICT (provider, address) DO UPDATE
       SET id = CASE WHEN r.user_id = excluded.user_id THEN r.id ELSE excluded.id END,
           user_id = excluded.user_id, login = excluded.login, device = excluded.device, p256dh = excluded.p256dh,
           auth = excluded.auth, secret = excluded.secret, app = excluded.app, used_at = now(),
           created_at = CASE WHEN r.user_id = excluded.user_id THEN r.created_at ELSE now() END
    RETURNING r.id INTO made;
    DELETE FROM banter.push_registrations
     WHERE id IN (SELECT r.id FROM banter.push_registrations r
                   WHERE r.user_id = actor_id AND r.id <> made
                   ORDER BY r.used_at DESC, r.id OFFSET registrations_max - 1);
    RETURN made;
END
$$;

-- However a login ends, its registrations end with it. Of one that was made over MQTT only the device is known: it
-- goes with a login that is bound to this device, and with every login that is bound to none.
CREATE FUNCTION banter.forget_push_of_login() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM banter.push_registrations r
     WHERE r.user_id = OLD.user_id
       AND (r.login = OLD.id OR (r.login IS NULL AND (OLD.device IS NULL OR r.device = OLD.device)));
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_push_of_login AFTER DELETE ON banter.login_sessions
    FOR EACH ROW EXECUTE FUNCTION banter.forget_push_of_login();

-- ---------------------------------------------------------------- from the outbox to jobs

-- Given parallel arrays, an element for each pile of rows that were read together: the rows' ids and the users to
-- tell (arrays as text), how far the members have been gone through (NULL: to the end). How many jobs there are now
-- for them, new or joined.
CREATE FUNCTION banter.push_expand(rows text[], positions bigint[], conversations uuid[], from_seqs bigint[],
                                   seqs bigint[], senders bigint[], bulks boolean[], users text[], gather_ms bigint)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
    pile record;
BEGIN
    INSERT INTO banter.push_jobs AS j (registration, conversation, provider, bulk, from_seq, seq, due_at)
    SELECT r.id, p.conversation, r.provider, bool_or(p.bulk), min(p.from_seq), max(p.seq),
           now() + gather_ms * interval '1 millisecond'
      FROM unnest(conversations, from_seqs, seqs, bulks, users) AS p (conversation, from_seq, seq, bulk, users)
     CROSS JOIN LATERAL unnest(p.users::bigint[]) AS u (id)
     CROSS JOIN LATERAL (SELECT g.id, g.provider FROM banter.push_registrations g
                          WHERE g.user_id = u.id OFFSET 0) r
     GROUP BY r.id, p.conversation, r.provider
     ORDER BY r.id, p.conversation -- the lock order
    ON CONFLICT (registration, conversation) DO UPDATE
       SET seq = greatest(j.seq, excluded.seq), from_seq = least(j.from_seq, excluded.from_seq),
           -- What has not been tried waits for the end of the burst, but no longer than three times that.
           due_at = CASE WHEN j.attempts > 0 THEN j.due_at
                         ELSE greatest(j.due_at, least(excluded.due_at,
                                                       j.created_at + 3 * (excluded.due_at - now()))) END;
    GET DIAGNOSTICS made = ROW_COUNT;
    -- Of a pile that is not done the first row goes on, for all of them.
    FOR pile IN
        SELECT p.ids::bigint[] AS ids, p.position, p.from_seq, p.seq, p.sender
          FROM unnest(rows, positions, from_seqs, seqs, senders) AS p (ids, position, from_seq, seq, sender)
         WHERE p.position IS NOT NULL
    LOOP
        UPDATE banter.push_outbox o
           SET position = pile.position, from_seq = pile.from_seq, seq = pile.seq, sender = pile.sender
         WHERE o.id = pile.ids[1];
    END LOOP;
    DELETE FROM banter.push_outbox o
     WHERE o.id = ANY (ARRAY(
           SELECT i.id
             FROM unnest(rows, positions) AS p (ids, position)
            CROSS JOIN LATERAL unnest(p.ids::bigint[]) WITH ORDINALITY AS i (id, n)
            WHERE p.position IS NULL OR i.n > 1));
    RETURN made;
END
$$;

-- ---------------------------------------------------------------- jobs

-- How many messages of others this user has not read, in all conversations that are not muted: counted up to 100, and
-- in each conversation among its newest 1,000 entries. In PL/pgSQL, as is the next one, because that keeps the plans.
CREATE FUNCTION banter.push_badge(owner_id bigint) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT count(*)
          FROM (SELECT
                  FROM banter.members m
                  JOIN banter.conversations c ON c.id = m.conversation AND c.deleted_at IS NULL
                 CROSS JOIN LATERAL (
                       SELECT FROM banter.messages e
                        WHERE e.conversation = m.conversation AND e.seq > greatest(m.read_seq, c.last_seq - 1000)
                          AND e.kind = 1 AND e.text IS NOT NULL AND e.sender <> owner_id
                        LIMIT 100) e
                 WHERE m.user_id = owner_id AND c.last_seq > m.read_seq
                   AND (m.muted_until IS NULL OR m.muted_until <= now())
                 LIMIT 100) unread);
END
$$;

-- Leases up to limits[1 + provider] jobs of each provider. Each comes with what is to be said now: the newest message
-- that its user has not read. `said_seq` is NULL when there is nothing (any more) to say, or nobody to say it to.
--
-- OFFSET 0 has the membership looked up by both columns, however few conversations the average user has.
CREATE FUNCTION banter.push_take(limits bigint[], lease_ms bigint, ttl_s bigint)
RETURNS TABLE (registration uuid, conversation uuid, provider smallint, seq bigint, attempts smallint, lease bigint,
               age_ms bigint, user_id bigint, address text, p256dh text, auth text, secret text, app text,
               said_seq bigint, said text, sender text, title text, badge integer, owner text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH wanted AS (
        SELECT (w.n - 1)::smallint AS provider, w.most
          FROM unnest(limits) WITH ORDINALITY AS w (most, n)
         WHERE w.most > 0
    ), picked AS MATERIALIZED (
        SELECT w.provider, p.at
          FROM wanted w
         CROSS JOIN LATERAL (SELECT j.ctid AS at FROM banter.push_jobs j
                              WHERE j.provider = w.provider AND NOT j.bulk AND j.due_at <= now()
                              ORDER BY j.due_at LIMIT w.most
                                FOR UPDATE SKIP LOCKED) p
    ), picked_bulk AS MATERIALIZED (
        SELECT p.at
          FROM wanted w
         CROSS JOIN LATERAL (SELECT j.ctid AS at FROM banter.push_jobs j
                              WHERE j.provider = w.provider AND j.bulk AND j.due_at <= now()
                              ORDER BY j.due_at
                              LIMIT w.most - (SELECT count(*) FROM picked o WHERE o.provider = w.provider)
                                FOR UPDATE SKIP LOCKED) p
    ), taken AS (
        UPDATE banter.push_jobs j
           SET attempts = j.attempts + 1, lease = nextval('banter.push_leases'),
               due_at = now() + lease_ms * interval '1 millisecond'
         WHERE j.ctid = ANY (ARRAY(SELECT at FROM picked UNION ALL SELECT at FROM picked_bulk))
        RETURNING j.*
    )
    SELECT t.registration, t.conversation, t.provider, t.seq, t.attempts, t.lease,
           (extract(epoch FROM now() - t.created_at) * 1000)::bigint, r.user_id, r.address, r.p256dh, r.auth,
           r.secret, r.app, s.seq, s.text, u.handle, coalesce(c.title, u.name, u.handle),
           CASE WHEN s.seq IS NOT NULL THEN banter.push_badge(r.user_id) END, w.handle
      FROM taken t
      LEFT JOIN banter.push_registrations r ON r.id = t.registration
      LEFT JOIN banter.users w ON w.id = r.user_id AND w.disabled_at IS NULL
      LEFT JOIN banter.conversations c ON c.id = t.conversation AND c.deleted_at IS NULL
      LEFT JOIN LATERAL (
           SELECT o.read_seq
             FROM banter.members o
            WHERE o.conversation = c.id AND o.user_id = w.id
              AND (o.muted_until IS NULL OR o.muted_until <= now())
            OFFSET 0) m ON true
      LEFT JOIN LATERAL (
           SELECT e.seq, e.sender, coalesce(n.text, e.text) AS text
             FROM (SELECT e.seq, e.sender, e.text
                     FROM banter.messages e
                    WHERE e.conversation = t.conversation
                      AND e.seq BETWEEN greatest(t.from_seq, m.read_seq + 1, t.seq - 1000) AND t.seq
                      AND e.kind = 1 AND e.text IS NOT NULL AND e.sender <> r.user_id
                      AND e.at > now() - ttl_s * interval '1 second'
                      AND NOT EXISTS (SELECT FROM banter.blocks b
                                       WHERE b.blocker = r.user_id AND b.blocked = e.sender)
                    ORDER BY e.seq DESC LIMIT 1) e
             LEFT JOIN banter.edits x ON x.conversation = t.conversation AND x.target = e.seq
             LEFT JOIN banter.messages n ON n.conversation = t.conversation
                                        AND n.seq = x.seqs[cardinality(x.seqs)]
            WHERE m.read_seq IS NOT NULL
              AND (r.login IS NULL OR (SELECT l.expires_at > now() FROM banter.login_sessions l
                                        WHERE l.id = r.login))) s ON true
      LEFT JOIN banter.users u ON u.id = s.sender;
END
$$;

-- What became of leased jobs, given parallel arrays. Outcomes: 0 done up to `seqs`, 1 the registration is gone, 2 to be
-- tried again after `delays_ms`, 3 given up, 4 given back untried until then. Leases that ended meanwhile do not
-- count. What came while a job was on its way stays, as a job of its own. How many were given up.
CREATE FUNCTION banter.push_settle(registrations uuid[], conversations uuid[], leases bigint[], outcomes smallint[],
                                   seqs bigint[], delays_ms bigint[], reasons text[], attempts_max integer,
                                   gather_ms bigint)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    o    record;
    died bigint := 0;
BEGIN
    FOR o IN
        SELECT j.*, s.outcome, s.seq AS done_seq, s.delay_ms, s.reason,
               s.outcome = 3 OR (s.outcome = 2 AND j.attempts >= attempts_max) AS dies
          FROM (SELECT *
                  FROM unnest(registrations, conversations, leases, outcomes, seqs, delays_ms, reasons)
                       AS u (registration, conversation, lease, outcome, seq, delay_ms, reason)
                 ORDER BY u.registration, u.conversation) s
         CROSS JOIN LATERAL (SELECT * FROM banter.push_jobs q
                              WHERE q.registration = s.registration AND q.conversation = s.conversation
                                AND q.lease = s.lease
                                FOR UPDATE) j
    LOOP
        IF o.dies THEN
            INSERT INTO banter.push_dead AS d
                   (registration, conversation, provider, bulk, from_seq, seq, attempts, reason, created_at)
            VALUES (o.registration, o.conversation, o.provider, o.bulk, o.from_seq, o.seq, o.attempts, o.reason,
                    o.created_at)
            ON CONFLICT (registration, conversation) DO UPDATE
               SET seq = excluded.seq, attempts = excluded.attempts, reason = excluded.reason, died_at = now();
            died := died + 1;
        END IF;
        IF o.outcome = 1 THEN
            DELETE FROM banter.push_registrations r WHERE r.id = o.registration;
        ELSIF o.outcome = 0 THEN
            UPDATE banter.push_registrations r SET used_at = now()
             WHERE r.id = o.registration AND r.used_at < now() - interval '1 day';
        END IF;
        IF o.dies OR o.outcome = 1 OR (o.outcome = 0 AND o.seq <= o.done_seq) THEN
            DELETE FROM banter.push_jobs j
             WHERE j.registration = o.registration AND j.conversation = o.conversation;
        ELSE
            UPDATE banter.push_jobs j
               SET lease = NULL,
                   from_seq = CASE WHEN o.outcome = 0 THEN o.done_seq + 1 ELSE j.from_seq END,
                   created_at = CASE WHEN o.outcome = 0 THEN now() ELSE j.created_at END,
                   attempts = CASE o.outcome WHEN 0 THEN 0 WHEN 4 THEN j.attempts - 1 ELSE j.attempts END,
                   due_at = now() + CASE WHEN o.outcome = 0 THEN gather_ms ELSE o.delay_ms END
                                    * interval '1 millisecond'
             WHERE j.registration = o.registration AND j.conversation = o.conversation;
        END IF;
    END LOOP;
    IF died > 0 THEN -- whoever has not looked for a month will not
        DELETE FROM banter.push_dead
         WHERE (registration, conversation) IN (SELECT d.registration, d.conversation FROM banter.push_dead d
                                                 WHERE d.died_at < now() - interval '30 days'
                                                 ORDER BY d.died_at LIMIT 100);
    END IF;
    RETURN died;
END
$$;

-- For the metrics, and for operators: how many wait (counted up to 100,000), and for how long the first of them. What
-- is leased, or will be tried later, is not overdue. Provider -1 is the outbox.
CREATE FUNCTION banter.push_queues() RETURNS TABLE (provider smallint, jobs bigint, overdue_ms bigint, dead bigint)
LANGUAGE sql STABLE AS $$
    SELECT p.n::smallint,
           (SELECT count(*) FROM (SELECT FROM banter.push_jobs j WHERE j.provider = p.n LIMIT 100000) c),
           coalesce((SELECT greatest((extract(epoch FROM now() - min(f.due_at)) * 1000)::bigint, 0)
                       FROM (VALUES (true), (false)) b (bulk)
                      CROSS JOIN LATERAL (SELECT j.due_at FROM banter.push_jobs j
                                           WHERE j.provider = p.n AND j.bulk = b.bulk
                                           ORDER BY j.due_at LIMIT 1) f), 0),
           (SELECT count(*) FROM (SELECT FROM banter.push_dead d WHERE d.provider = p.n LIMIT 100000) c)
      FROM generate_series(0, 3) p (n)
     UNION ALL
    SELECT -1, (SELECT count(*) FROM (SELECT FROM banter.push_outbox LIMIT 100000) c),
           coalesce((SELECT greatest((extract(epoch FROM now() - e.at) * 1000)::bigint, 0)
                       FROM (SELECT o.conversation, o.seq FROM banter.push_outbox o ORDER BY o.id LIMIT 1) o
                       JOIN banter.messages e ON e.conversation = o.conversation AND e.seq = o.seq), 0),
           0
$$;

-- ---------------------------------------------------------------- what operators do (banter-bridge push)

CREATE VIEW banter.push_dead_letters AS
    SELECT d.registration, d.conversation, u.handle AS "user",
           (ARRAY['fcm', 'apns', 'web', 'webhook'])[1 + d.provider] AS provider, d.seq, d.attempts, d.reason,
           d.created_at, d.died_at
      FROM banter.push_dead d
      LEFT JOIN banter.push_registrations r ON r.id = d.registration
      LEFT JOIN banter.users u ON u.id = r.user_id;

-- Tries again, from the beginning: the dead letters of one registration, or all. How many.
CREATE FUNCTION banter.push_requeue(only_registration uuid) RETURNS bigint
LANGUAGE sql AS $$
    WITH risen AS (
        DELETE FROM banter.push_dead d
         WHERE only_registration IS NULL OR d.registration = only_registration
        RETURNING d.*
    ), queued AS (
        INSERT INTO banter.push_jobs AS j
               (registration, conversation, provider, bulk, from_seq, seq, due_at, created_at)
        SELECT registration, conversation, provider, bulk, from_seq, seq, now(), created_at
          FROM risen ORDER BY registration, conversation
        ON CONFLICT (registration, conversation) DO UPDATE
           SET from_seq = least(j.from_seq, excluded.from_seq), seq = greatest(j.seq, excluded.seq)
    )
    SELECT count(*) FROM risen
$$;

-- Forgets them. How many.
CREATE FUNCTION banter.push_drop(only_registration uuid) RETURNS bigint
LANGUAGE sql AS $$
    WITH dropped AS (
        DELETE FROM banter.push_dead d
         WHERE only_registration IS NULL OR d.registration = only_registration
        RETURNING 1
    )
    SELECT count(*) FROM dropped
$$;
