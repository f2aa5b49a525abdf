-- SPDX-License-Identifier: MIT
-- 0018_nodes.sql - which nodes there are, and what they tell each other when nothing else carries it.
--
-- A node holds a lease, which it renews every second. While it holds one, whoever confirms a removal waits for it; one
-- that has lost it hands out nothing. So the end of a lease is decided here and nowhere else, by this server's clock.

CREATE TABLE banter.nodes (
    name        text COLLATE "C" PRIMARY KEY, -- as connections have it in application_name
    incarnation bigint NOT NULL,              -- of its bridge; the same there
    lease_until timestamptz NOT NULL,
    renewed_at  timestamptz NOT NULL,
    ended       boolean NOT NULL,             -- the lease is over, and nothing that the node sent can still commit
    left_as     bigint,                       -- the last incarnation that left in order, having told everything
    left_number bigint,                       -- and its last bulletin
    first       bigint NOT NULL,              -- the oldest bulletin that it still has
    number      bigint NOT NULL,              -- its last one
    applied     bytea NOT NULL,               -- how far it has applied those of the others
    about       text NOT NULL                 -- a JSON object, for clients that look for a node
);

CREATE TABLE banter.bulletins (
    node        text COLLATE "C" NOT NULL,
    incarnation bigint NOT NULL,
    number      bigint NOT NULL, -- of the last one in `body`
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    body        bytea NOT NULL,
    PRIMARY KEY (node, incarnation, number)
);
COMMENT ON TABLE banter.bulletins IS 'Only what the bus may not have carried, and only for minutes.';

-- What nodes seal their messages with. Redis, over which they go, need not be trusted then.
CREATE TABLE banter.cluster_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea NOT NULL
);
INSERT INTO banter.cluster_key (key) VALUES (uuid_send(gen_random_uuid()));

-- Ends the nodes whose lease is over, and first of all what they have sent to this server. Nobody could renew anything
-- while the server was down: then the time begins with its start.
CREATE FUNCTION banter.end_late_nodes(me text, lease interval) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    late banter.nodes;
    gone boolean;
BEGIN
    IF pg_postmaster_start_time() > clock_timestamp() - lease THEN
        RETURN;
    END IF;
    FOR late IN
        SELECT * FROM banter.nodes n
         WHERE n.name <> me AND NOT n.ended AND n.lease_until < clock_timestamp()
           FOR UPDATE SKIP LOCKED
    LOOP
        SELECT coalesce(bool_and(pg_terminate_backend(a.pid, 200)), true) INTO gone
          FROM pg_stat_activity a
         WHERE a.datname = current_database() AND a.usename = session_user
           AND a.application_name LIKE 'banter-%'
           AND split_part(a.application_name, '/', 2) = late.name
           AND split_part(split_part(a.application_name, '/', 3), '.', 1) = lpad(to_hex(late.incarnation), 8, '0');
        UPDATE banter.nodes n SET ended = true WHERE n.name = late.name AND gone; -- else the next turn
    END LOOP;
END
$$;

-- One turn of a node: renews its lease, leaves `body` (NULL: nothing) for the others, and says who else there is and
-- what of theirs is new. Of each other node it names (known_…) up to which bulletin it has them. The node's own row
-- comes too: there `ended` says that it had no lease any more, or was never here, and `body` is the key.
CREATE FUNCTION banter.node_turn(me text, own_incarnation bigint, lease_ms bigint, own_first bigint, own_number bigint,
                                 own_applied bytea, own_about text, upto bigint, own_body bytea,
                                 known_names text[], known_incarnations bigint[], known_numbers bigint[])
RETURNS TABLE (name text, incarnation bigint, ended boolean, left_as bigint, left_number bigint,
               silent_ms bigint, first bigint, number bigint, applied bytea, about text,
               upto_number bigint, body bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    lease interval := lease_ms * interval '1 millisecond';
    own   banter.nodes;
BEGIN
    SELECT * INTO own FROM banter.nodes n WHERE n.name = me FOR UPDATE;
    INSERT INTO banter.nodes (name, incarnation, lease_until, renewed_at, ended, first, number, applied, about)
    VALUES (me, own_incarnation, clock_timestamp() + lease, clock_timestamp(), false, own_first, own_number,
            own_applied, own_about)
    ON CONFLICT (name) DO UPDATE
       SET incarnation = excluded.incarnation, lease_until = excluded.lease_until, renewed_at = excluded.renewed_at,
           ended = false, first = excluded.first, number = excluded.number, applied = excluded.applied,
           about = excluded.about;
    IF own_body IS NOT NULL THEN
        INSERT INTO banter.bulletins (node, incarnation, number, body)
        VALUES (me, own_incarnation, upto, own_body)
        ON CONFLICT (node, incarnation, number) DO UPDATE SET body = excluded.body;
    END IF;
    DELETE FROM banter.bulletins b
     WHERE (b.node = me AND (b.incarnation <> own_incarnation OR b.at < clock_timestamp() - interval '1 minute'))
        OR b.at < clock_timestamp() - interval '10 minutes';
    DELETE FROM banter.nodes n WHERE n.ended AND n.renewed_at < clock_timestamp() - interval '1 day';
    PERFORM banter.end_late_nodes(me, lease);
    RETURN QUERY
        SELECT me, own_incarnation, own.name IS NULL OR own.ended OR own.incarnation <> own_incarnation, NULL::bigint,
               NULL::bigint, 0::bigint,
               own_first, own_number, ''::bytea, '', NULL::bigint, (SELECT k.key FROM banter.cluster_key k)
        UNION ALL
        (SELECT n.name, n.incarnation, n.ended, n.left_as, n.left_number,
                greatest(0, extract(epoch FROM clock_timestamp() - n.renewed_at) * 1000)::bigint,
                n.first, n.number, n.applied, n.about, b.number, b.body
           FROM banter.nodes n
           LEFT JOIN unnest(known_names, known_incarnations, known_numbers) AS k (name, incarnation, number)
             ON k.name = n.name AND k.incarnation = n.incarnation
           LEFT JOIN LATERAL (SELECT * FROM banter.bulletins b
                               WHERE b.node = n.name AND b.incarnation = n.incarnation AND b.number > k.number
                               ORDER BY b.number LIMIT 16) b ON true
          WHERE n.name <> me AND n.renewed_at > clock_timestamp() - interval '1 hour'
          ORDER BY n.name, b.number);
END
$$;

-- The node goes, and has told everything: nobody need wait for it or wonder what it did.
CREATE FUNCTION banter.node_leaves(me text, own_incarnation bigint) RETURNS void
LANGUAGE sql AS $$
    UPDATE banter.nodes SET ended = true, lease_until = clock_timestamp(), left_as = incarnation, left_number = number
     WHERE name = me AND incarnation = own_incarnation;
$$;
