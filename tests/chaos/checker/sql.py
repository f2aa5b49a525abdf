# SPDX-License-Identifier: MIT
"""I1, I2, I3 and I6 once more, in SQL: written apart from the rules in Python, so that a mistake in
one of the two shows as a disagreement.

The logs' receipts and drafts are taken into temporary tables as they are; nothing else is read."""
import pathlib
import subprocess

_SCRIPT = """
SET client_min_messages = warning;
CREATE TEMP TABLE receipts (device text, conversation uuid, id text, seq bigint);
CREATE TEMP TABLE drafts (device text, conversation uuid, id text, n bigint);
{imports}
ANALYZE receipts; ANALYZE drafts;
CREATE TEMP VIEW entries AS
    SELECT m.conversation, m.seq, u.handle, m.id, m.kind, m.text,
           CASE WHEN m.kind = 1 THEN (regexp_match(m.text, '^(\\S+/\\S+) \\d+ '))[1] END AS device,
           CASE WHEN m.kind = 1
                THEN (regexp_match(m.text, '^\\S+/\\S+ (\\d+) '))[1]::bigint END AS n
      FROM banter.messages m LEFT JOIN banter.users u ON u.id = m.sender;
SELECT 'I1', count(*) FROM (
    (SELECT DISTINCT device, conversation, id, seq FROM receipts
    EXCEPT
    SELECT r.device, r.conversation, r.id, r.seq
      FROM receipts r
      JOIN entries e ON e.conversation = r.conversation AND e.seq = r.seq
      LEFT JOIN drafts d ON d.device = r.device AND d.conversation = r.conversation
                        AND d.id = r.id
     WHERE e.id = r.id AND e.handle = split_part(r.device, '/', 1)
       AND (e.text IS NULL OR d.id IS NULL OR (e.device = d.device AND e.n = d.n)))
    UNION ALL
    SELECT device, conversation, id, min(seq) FROM receipts
     GROUP BY device, conversation, id HAVING min(seq) <> max(seq)) wrong;
SELECT 'I2', count(*) FROM (
    SELECT FROM banter.messages WHERE id IS NOT NULL
     GROUP BY conversation, sender, id HAVING count(*) > 1) twice;
SELECT 'I3', count(*) FROM (
    SELECT c.last_seq, count(m.seq) AS entries, min(m.seq) AS first, max(m.seq) AS last
      FROM banter.conversations c FULL JOIN banter.messages m ON m.conversation = c.id
     GROUP BY c.id, m.conversation IS NULL, c.last_seq) heads
 WHERE last_seq IS DISTINCT FROM entries
    OR (entries > 0 AND (first <> 1 OR last <> entries));
SELECT 'I6', count(*) FROM (
    SELECT n <= lag(n) OVER (PARTITION BY conversation, device ORDER BY seq) AS is_wrong
      FROM entries WHERE device IS NOT NULL) pairs
 WHERE is_wrong;
"""
_COPIES = (("receipts", "A", "$3,$5,$6,$7"), ("drafts", "S", "$3,$5,$6,$7"))
_TIME_LIMIT_S = 300


def _imports(logs):
    quoted = " ".join("'" + str(log).replace("'", "'\\''") + "'" for log in logs)
    for table, letter, columns in _COPIES:
        awk = (f'BEGIN {{ FS = OFS = "\\t" }} $4 == "{letter}" && NF >= 7 '
               f"{{ print {columns} }}")
        program = f"awk '{awk}' {quoted}".replace("'", "''")
        yield f"\\copy {table} FROM PROGRAM '{program}'"


def count(dsn, logs):
    """rule -> how many violations SQL finds."""
    logs = [pathlib.Path(log) for log in logs if pathlib.Path(log).exists()]
    script = _SCRIPT.format(imports="\n".join(_imports(logs)) if logs else "")
    done = subprocess.run(["psql", "-XAtq", "-F", " ", "-v", "ON_ERROR_STOP=1", "-d", dsn],
                          input=script, text=True, capture_output=True, timeout=_TIME_LIMIT_S,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql failed ({done.returncode}): {done.stderr}")
    return {rule: int(number) for rule, number in
            (line.split() for line in done.stdout.splitlines() if line.strip())}
