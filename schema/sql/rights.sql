-- SPDX-License-Identifier: MIT
-- rights.sql - what the role of a running bridge may do: this and no more.
--
-- Run by the schema's owner after the migrations, as often as those are looked at, with the role's name in the setting
-- banter.bridge_role. It owns nothing and makes nothing: no table, index, function, role or temporary table. What is
-- written once it cannot change: an entry's place, sender, time and id, whose a login is, which node key there is. What
-- exports and erases a user reaches further, and does nothing else: those functions run as the owner.
--
-- Rule: a migration that makes a table or view names it here (tests/integration/test_rights.py). Until then the role
-- may do with a table what one does with data.

DO $$
DECLARE
    bridge  text := current_setting('banter.bridge_role');
    part    record;
    allowed text;
    changed text;
BEGIN
    IF to_regrole(quote_ident(bridge)) IS NULL THEN
        RAISE EXCEPTION 'there is no role %: CREATE ROLE % LOGIN', bridge, quote_ident(bridge);
    ELSIF pg_has_role(bridge, current_user, 'USAGE') THEN
        RETURN; -- the owner itself, or who may do everything anyway
    END IF;
    EXECUTE format('REVOKE ALL ON SCHEMA banter FROM %I', bridge);
    EXECUTE format('GRANT USAGE ON SCHEMA banter TO %I', bridge);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA banter FROM %I', bridge);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA banter FROM %I', bridge);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA banter TO %I', bridge);
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, %I', current_database(), bridge);
    -- Locking a row (FOR UPDATE) takes the right to change one of its columns.
    FOR part IN
        SELECT c.oid, c.relname AS name, coalesce(r.rights, CASE c.relkind WHEN 'v' THEN 'SELECT'
                                                         ELSE 'SELECT, INSERT, UPDATE, DELETE' END) AS rights,
               coalesce(r.fixed, '{}') AS fixed
          FROM pg_class c
          LEFT JOIN (VALUES
              ('administrators',     'SELECT',                         NULL::text[]),
              ('audit',              'SELECT, INSERT, UPDATE, DELETE',
                                     '{id, key, at, node, actor, actor_id, operator, action, user_id, result}'),
              ('blocks',             'SELECT, INSERT, DELETE',         NULL),
              ('bulletins',          'SELECT, INSERT, UPDATE, DELETE', '{node, incarnation, number}'),
              ('channels',           'SELECT, INSERT, UPDATE',         '{conversation}'),
              ('chores',             'SELECT, INSERT, UPDATE, DELETE', '{conversation, chore}'),
              ('cluster_key',        'SELECT',                         NULL),
              ('columns',            '',                               NULL),
              ('conversation_heads', 'SELECT',                         NULL),
              ('conversations',      'SELECT, INSERT, UPDATE',         '{id, kind, created_by, created_at}'),
              ('edits',              'SELECT, INSERT, UPDATE, DELETE', '{conversation, target}'),
              ('ended_logins',       'SELECT, INSERT, UPDATE, DELETE', '{id, user_id}'),
              ('erased_handles',     'SELECT',                         NULL),
              ('erasure_count',      'SELECT',                         NULL),
              ('erasure_key',        '',                               NULL),
              ('erasure_receipts',   'SELECT',                         NULL),
              ('erasures',           'SELECT',                         NULL),
              ('folded_messages',    'SELECT',                         NULL),
              ('invites',            'SELECT, INSERT, UPDATE, DELETE', '{id, hash, conversation, created_by, expires_at}'),
              ('login_sessions',     'SELECT, INSERT, UPDATE, DELETE', '{id, user_id, device, created_at}'),
              ('members',            'SELECT, INSERT, UPDATE, DELETE', '{conversation, user_id, joined_seq, joined_at}'),
              ('messages',           'SELECT, INSERT, UPDATE, DELETE',
                                     '{conversation, seq, sender, at, kind, reply_to, id, target}'),
              ('migrations',         'SELECT',                         NULL),
              ('nodes',              'SELECT, INSERT, UPDATE, DELETE', '{name}'),
              ('push_dead',          'SELECT, INSERT, UPDATE, DELETE', '{registration, conversation}'),
              ('push_dead_letters',  'SELECT',                         NULL),
              ('push_jobs',          'SELECT, INSERT, UPDATE, DELETE', '{registration, conversation}'),
              ('push_outbox',        'SELECT, INSERT, UPDATE, DELETE', '{id, conversation}'),
              ('push_registrations', 'SELECT, INSERT, UPDATE, DELETE', NULL),
              ('quarantine',         'INSERT',                         NULL),
              ('reactions',          'SELECT, INSERT, UPDATE, DELETE', '{conversation, target, emoji}'),
              ('reactors',           'SELECT, INSERT, UPDATE, DELETE', '{conversation, target, emoji, user_id}'),
              ('retentions',         'SELECT, INSERT, UPDATE, DELETE', '{conversation}'),
              ('search',             'SELECT, INSERT, UPDATE, DELETE', '{conversation, seq, sender, at}'),
              ('search_progress',    'SELECT, INSERT, UPDATE',         '{conversation}'),
              ('users',              'SELECT, INSERT, UPDATE',         '{id, created_at}')
          ) AS r (name, rights, fixed) ON r.name = c.relname
         WHERE c.relnamespace = 'banter'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    LOOP
        SELECT string_agg(quote_ident(a.attname), ', ') INTO changed
          FROM pg_attribute a
         WHERE a.attrelid = part.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attname <> ALL (part.fixed);
        allowed := replace(part.rights, 'UPDATE', format('UPDATE (%s)', changed));
        IF allowed <> '' THEN
            EXECUTE format('GRANT %s ON banter.%I TO %I', allowed, part.name, bridge);
        END IF;
    END LOOP;
END
$$;
