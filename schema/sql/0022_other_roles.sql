-- SPDX-License-Identifier: MIT
-- 0022_other_roles.sql - nodes may connect as different roles, while one after the other takes a new one.

-- As before, but of every role: what we may not end can only be waited for, and its node is not gone before.
CREATE OR REPLACE FUNCTION banter.end_late_nodes(me text, lease interval) RETURNS void
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
        SELECT coalesce(bool_and(CASE WHEN pg_has_role(a.usesysid, 'USAGE')
                                      THEN pg_terminate_backend(a.pid, 200) ELSE false END), true) INTO gone
          FROM pg_stat_activity a
         WHERE a.datname = current_database()
           AND a.application_name LIKE 'banter-%'
           AND split_part(a.application_name, '/', 2) = late.name
           AND split_part(split_part(a.application_name, '/', 3), '.', 1) = lpad(to_hex(late.incarnation), 8, '0');
        UPDATE banter.nodes n SET ended = true WHERE n.name = late.name AND gone; -- else the next turn
    END LOOP;
END
$$;

-- What the role of a bridge need not read runs with the rights of the schema's owner, as what erases does: drafts that
-- PostgreSQL refused, for their authors' exports, and the key of the handles' hashes.
ALTER FUNCTION banter.export_page(bigint, text, integer) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION banter.handle_hash(text) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
