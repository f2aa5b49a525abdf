-- SPDX-License-Identifier: MIT
-- citus.sql - spreads the tables of schema/sql over several PostgreSQL servers with Citus.
--
-- To be run once, on the coordinator, after all migrations and with no bridge running:
--
--     CREATE EXTENSION citus;                                 -- in shared_preload_libraries on every server
--     SELECT citus_set_coordinator_host('pg0.example', 5432);
--     SELECT citus_add_node('pg1.example', 5432);             -- and so on
--     psql -v ON_ERROR_STOP=1 -f schema/citus.sql
--
-- NOT RUN SO FAR: Debian has no Citus. What follows comes from its documentation and source (14.0, which wants
-- PostgreSQL 16 to 18; 13 takes 15 too). Checked with every test run (tests/integration/test_citus.py) is what decides
-- about the tables: that each of them is named here, that every unique key of a distributed one has its distribution
-- column, that no foreign key crosses shards, and that what Citus refuses (triggers) stays on the coordinator.
--
-- The tables can be spread; the statements are not all ready for it. What touches one conversation runs: its shard
-- follows from the conversation's id. What takes arrays of conversations does not, and that is the writer's batch above
-- all. docs/scaling.md, "Shards", says which statements those are, and what to make of them.
--
-- A table is one of three:
--   distributed  by conversation. All of them in one colocation group: the rows of one conversation are on one server,
--                so whatever concerns it is one server's transaction.
--   reference    a full copy on every server, for joins. Written by two-phase commit to all, one writer at a time: only
--                for what is read often and written rarely. Also the place for what must be unique over all
--                conversations, as no distributed table can do that.
--   local        on the coordinator alone: not used together with conversations, or a queue, or with a trigger. A line
--                "-- local TABLE: why" stands for it, since there is nothing to run.

-- ---------------------------------------------------------------- distributed

-- 256 shards can be moved onto up to 256 servers later; each is 13 tables (messages has 4 partitions), so 32 servers
-- have some 100 tables each, and the coordinator's plans know 256 shards. Set here, and taken over by the others.
SELECT create_distributed_table('banter.conversations', 'id', colocate_with => 'none', shard_count => 256);

-- By conversation, although attaching asks by user: each append looks at one membership, and a change of
-- members locks the conversation. Who asks by user (attach, list of conversations, presence) asks all shards.
SELECT create_distributed_table('banter.members', 'conversation', colocate_with => 'banter.conversations');

-- Its hash partitions go with it: each shard has four of its own.
SELECT create_distributed_table('banter.messages', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.edits', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.reactors', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.reactions', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.chores', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.retentions', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.search', 'conversation', colocate_with => 'banter.conversations');
SELECT create_distributed_table('banter.search_progress', 'conversation', colocate_with => 'banter.conversations');

-- ---------------------------------------------------------------- reference

-- `id` and `handle` are both unique, so neither can be the distribution column. Nearly every answer joins it for
-- handles. But it is also where last_seen is written, which at size is too much for a reference table: docs/scaling.md.
SELECT create_reference_table('banter.users');

-- `name` is unique over all channels. Joining and leaving a channel write member_count here: some hundred a
-- second in all, as they take turns.
SELECT create_reference_table('banter.channels');

-- Found by their hash, before anybody knows the conversation.
SELECT create_reference_table('banter.invites');

-- Asked in both directions beside the members of any conversation; written rarely.
SELECT create_reference_table('banter.blocks');

-- ---------------------------------------------------------------- local

-- local banter.login_sessions: has triggers; found by its own id; nothing joins it but the two below.
-- local banter.ended_logins: written by a trigger of login_sessions.
-- local banter.push_registrations: likewise; `id` and (provider, address) are unique over all users.
-- local banter.push_outbox: a queue; its key is a number of its own. An append with push on writes on two servers so.
-- local banter.push_jobs: a queue: "the next that are due, FOR UPDATE SKIP LOCKED" cannot be asked of many shards.
-- local banter.push_dead: goes with push_jobs.
-- local banter.audit: has triggers; its key is a number of its own.
-- local banter.columns: read by the erasure of users alone.
-- local banter.erasures: a queue of work, taken with locks.
-- local banter.erasure_count: one row.
-- local banter.erasure_key: one row.
-- local banter.erased_handles: looked up at a sign-up.
-- local banter.administrators: few, and asked together with users.
-- local banter.quarantine: no key, and should be empty.
-- local banter.nodes: the lease of a node is decided in one place.
-- local banter.bulletins: goes with nodes.
-- local banter.cluster_key: one row.
-- local banter.migrations: which files have been applied to the coordinator, from which Citus changes the others.
