-- SPDX-License-Identifier: MIT
-- 0007_devices.sql - logins that end before their access tokens do; cursors.

-- An access token is good until it expires, whatever becomes of its login: so whoever takes tokens has to know of the
-- logins that have ended since the oldest token that may still be good was made.
CREATE TABLE banter.ended_logins (
    id       uuid PRIMARY KEY,
    user_id  bigint NOT NULL,
    ended_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ended_logins_by_time ON banter.ended_logins (ended_at);

-- However a login ends. No access token lives for as long as 31 days (access_token_ttl in bridge/config.c).
CREATE FUNCTION banter.remember_ended_login() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO banter.ended_logins (id, user_id) VALUES (OLD.id, OLD.user_id) ON CONFLICT DO NOTHING;
    DELETE FROM banter.ended_logins
     WHERE id IN (SELECT e.id FROM banter.ended_logins e
                   WHERE e.ended_at < now() - interval '31 days'
                   ORDER BY e.ended_at LIMIT 10
                     FOR UPDATE SKIP LOCKED);
    RETURN NULL;
END
$$;
CREATE TRIGGER remember_ended_login AFTER DELETE ON banter.login_sessions
    FOR EACH ROW EXECUTE FUNCTION banter.remember_ended_login();

-- Ends the user's logins that are bound to this device, or the one with this id; returns them.
CREATE FUNCTION banter.revoke_logins(owner_id bigint, revoked_device text, revoked_login uuid)
RETURNS TABLE (id uuid, user_id bigint, ended_at timestamptz(3))
LANGUAGE sql AS $$
    DELETE FROM banter.login_sessions s
     WHERE s.user_id = owner_id AND (s.device = revoked_device OR s.id = revoked_login)
    RETURNING s.id, s.user_id, clock_timestamp()::timestamptz(3)
$$;

-- Cursors are updated all the time: keep those updates HOT.
ALTER TABLE banter.members SET (fillfactor = 80);

-- Moves cursors forwards, never back, and never beyond the log; given parallel arrays. Returns a row for each element
-- (`ord`, from 1) whose user is a member, with what the cursors are now. Takes no lock that it would have to wait
-- for, so that it cannot be part of a deadlock: `busy` tells the rows that have to be tried again.
CREATE FUNCTION banter.move_cursors(user_ids bigint[], conversations uuid[], received bigint[], read bigint[])
RETURNS TABLE (ord bigint, kind smallint, received_seq bigint, read_seq bigint, moved boolean, busy boolean)
LANGUAGE sql AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.ord, w.user_id, w.conversation, c.kind,
               least(greatest(w.received, w.read), c.last_seq) AS received, least(w.read, c.last_seq) AS read
          FROM unnest(user_ids, conversations, received, read) WITH ORDINALITY
               AS w (user_id, conversation, received, read, ord)
          JOIN banter.conversations c ON c.id = w.conversation
    ), held AS MATERIALIZED (
        SELECT w.ord
          FROM wanted w
          JOIN banter.members m ON m.conversation = w.conversation AND m.user_id = w.user_id
         WHERE m.received_seq < w.received OR m.read_seq < w.read
           FOR NO KEY UPDATE OF m SKIP LOCKED
    ), moved AS (
        UPDATE banter.members m
           SET received_seq = greatest(m.received_seq, w.received), read_seq = greatest(m.read_seq, w.read)
          FROM wanted w
          JOIN held h ON h.ord = w.ord
         WHERE m.conversation = w.conversation AND m.user_id = w.user_id
        RETURNING w.ord, m.received_seq, m.read_seq
    )
    SELECT w.ord, w.kind, coalesce(v.received_seq, m.received_seq), coalesce(v.read_seq, m.read_seq),
           v.ord IS NOT NULL,
           v.ord IS NULL AND (m.received_seq < w.received OR m.read_seq < w.read)
      FROM wanted w
      JOIN banter.members m ON m.conversation = w.conversation AND m.user_id = w.user_id
      LEFT JOIN moved v ON v.ord = w.ord
     ORDER BY w.ord
$$;
