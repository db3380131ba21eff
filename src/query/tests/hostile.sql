-- Statements that try to learn of other tenants' rows, or to do what no statement may.
-- A statement ends with a line that ends with a semicolon.

-- Asking plainly.
SELECT count(*) FROM calls;
SELECT * FROM calls;
SELECT * FROM calls LIMIT 5;
SELECT event_id FROM calls LIMIT 3 OFFSET 10;
SELECT DISTINCT tenant FROM calls;
SELECT tenant, sum(cost_usd) FROM calls GROUP BY tenant;
SELECT event_id FROM calls WHERE tenant = 'globex';
SELECT event_id FROM calls WHERE tenant <> 'acme';
SELECT event_id FROM calls WHERE tenant = 'globex' OR 1 = 1;
SELECT event_id FROM calls WHERE NOT (tenant = 'acme');
SELECT event_id FROM calls WHERE tenant IS NULL OR tenant = 'unattributed';
SELECT event_id FROM calls WHERE event_id LIKE '%globex%';
SELECT event_id FROM tokenmeter.public.calls WHERE team LIKE 'globex%';
SELECT * FROM public.calls WHERE source_offset >= 5000;
TABLE calls;
SELECT c.tenant FROM calls AS c WHERE c.tenant > 'b';

-- Errors that would quote a value.
SELECT event_id FROM calls WHERE CAST(team AS INT) > 0;
SELECT CAST(team AS INT) FROM calls;
SELECT CAST(tenant AS INT) FROM calls;
SELECT CAST(event_id AS DATE) FROM calls;
SELECT CAST(event_id AS TIMESTAMP) FROM calls LIMIT 1;
SELECT CAST(team AS DECIMAL(4, 2)) FROM calls;
SELECT CAST(response_model AS DOUBLE) FROM calls;
SELECT team::bigint FROM calls ORDER BY 1;
SELECT arrow_cast(team, 'Int8') FROM calls;
SELECT to_timestamp(team) FROM calls;
SELECT to_date(response_model) FROM calls;
SELECT date_trunc(team, occurred_at) FROM calls;
SELECT date_part(team, occurred_at) FROM calls;
SELECT regexp_like(event_id, team || '(') FROM calls;
SELECT regexp_replace('x', concat('(', event_id), '') FROM calls;
SELECT decode(event_id, 'hex') FROM calls;
SELECT decode(team, 'base64') FROM calls;
SELECT to_char(occurred_at, team) FROM calls;
SELECT CAST(cost_usd AS SMALLINT) FROM calls;
SELECT CAST(CAST(source_offset AS BIGINT) AS TINYINT) FROM calls;
SELECT make_date(CAST(source_offset AS INT), 99, 99) FROM calls;
SELECT arrow_cast(event_id, 'Interval(MonthDayNano)') FROM calls;

-- Division, overflow and roots as oracles.
SELECT 1 / (source_offset - 5000) FROM calls;
SELECT event_id FROM calls WHERE 1 / (source_offset - 5000) > 0;
SELECT event_id FROM calls WHERE 1 % (source_offset - 5001) > 0;
SELECT 1 / (total_input_tokens - 10307) FROM calls;
SELECT sum(1 / (source_offset - 5000)) FROM calls;
SELECT CASE WHEN tenant = 'globex' THEN 1 / 0 ELSE 0 END FROM calls;
SELECT CASE WHEN tenant <> 'acme' THEN CAST('x' AS INT) END FROM calls;
SELECT coalesce(NULLIF(tenant, 'acme'), CAST(1 / (source_offset - 5000) AS TEXT)) FROM calls;
SELECT source_offset * 9223372036854775807 FROM calls;
SELECT cost_usd * cost_usd * cost_usd * cost_usd FROM calls;
SELECT power(source_offset, 60) FROM calls;
SELECT abs(CAST(-9223372036854775808 AS BIGINT) + source_offset - 5000) FROM calls;
SELECT sqrt(1000 - source_offset), ln(1059 - source_offset) FROM calls;
SELECT sum(cost_usd), sum(CAST(cost_usd AS DECIMAL(38, 30))) FROM calls;
SELECT factorial(source_offset) FROM calls;
SELECT gcd(source_offset, 5000), lcm(source_offset, 9223372036854775807) FROM calls;
SELECT count(*) / (count(*) - 60) FROM calls;
SELECT 1 / (SELECT count(*) FROM calls WHERE tenant = 'globex');

-- Plans and statistics.
EXPLAIN SELECT * FROM calls WHERE team = 'globex team 1';
EXPLAIN SELECT count(*) FROM calls;
EXPLAIN SELECT max(occurred_at) FROM calls WHERE tenant = 'globex';
EXPLAIN ANALYZE SELECT * FROM calls;
EXPLAIN VERBOSE SELECT * FROM calls;
EXPLAIN ANALYZE VERBOSE SELECT * FROM calls;
EXPLAIN FORMAT TREE SELECT * FROM calls;
EXPLAIN FORMAT INDENT SELECT * FROM calls;
EXPLAIN (ANALYZE) SELECT * FROM calls;
EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM calls;
EXPLAIN EXPLAIN SELECT 1;
EXPLAIN DELETE FROM calls;
ANALYZE TABLE calls;
SELECT min(source_offset), max(source_offset), min(occurred_at), max(occurred_at) FROM calls;
SELECT max(date), min(event_id), max(event_id) FROM calls;
SELECT approx_distinct(team), approx_distinct(event_id) FROM calls;
SELECT approx_percentile_cont(source_offset, 0.5), approx_median(cost_usd) FROM calls;
SELECT median(source_offset), stddev(source_offset), var_pop(CAST(cost_usd AS DOUBLE)) FROM calls;
SELECT sum(CAST(cost_usd AS DOUBLE)), avg(CAST(source_offset AS DOUBLE)) FROM calls;
SELECT corr(CAST(cost_usd AS DOUBLE), CAST(source_offset AS DOUBLE)) FROM calls;
SELECT bit_and(source_offset), bit_or(source_offset), bit_xor(source_offset) FROM calls;

-- The order that rows arrive in.
SELECT first_value(event_id), last_value(event_id) FROM calls;
SELECT array_agg(event_id) FROM calls;
SELECT string_agg(event_id, ',') FROM calls;
SELECT array_agg(DISTINCT team) FROM calls;
SELECT event_id, row_number() OVER () FROM calls;
SELECT event_id, lag(event_id) OVER (), ntile(3) OVER () FROM calls;
SELECT nth_value(event_id, 2) OVER (ORDER BY source_topic) FROM calls;
SELECT team, response_model, count(*) FROM calls GROUP BY 1, 2;
SELECT DISTINCT ON (team) team, event_id FROM calls;
SELECT event_id FROM calls ORDER BY source_topic LIMIT 7;

-- Windows, joins, subqueries, views.
SELECT event_id, rank() OVER (ORDER BY cost_usd DESC) FROM calls ORDER BY 1;
SELECT event_id, percent_rank() OVER (ORDER BY occurred_at) FROM calls ORDER BY 1;
SELECT event_id, sum(cost_usd) OVER (PARTITION BY date ORDER BY occurred_at, event_id) FROM calls;
SELECT count(*) FROM calls a CROSS JOIN calls b;
SELECT count(*) FROM calls a FULL JOIN calls b ON a.event_id = b.team;
SELECT a.event_id FROM calls a LEFT JOIN calls b ON a.date = b.date AND b.tenant <> a.tenant;
SELECT a.event_id FROM calls a WHERE EXISTS (SELECT 1 FROM calls b WHERE b.tenant = 'globex');
SELECT event_id FROM calls WHERE date IN (SELECT date FROM calls WHERE tenant = 'globex');
SELECT event_id FROM calls WHERE cost_usd < ALL (SELECT cost_usd FROM calls);
SELECT (SELECT team FROM calls WHERE tenant = 'globex' LIMIT 1) AS stolen;
SELECT (SELECT tenant FROM calls) FROM calls;
SELECT event_id FROM calls EXCEPT SELECT event_id FROM calls WHERE tenant = 'acme';
SELECT tenant FROM calls INTERSECT SELECT 'globex';
SELECT event_id FROM calls UNION SELECT team FROM calls ORDER BY 1;
WITH c AS (SELECT * FROM calls) SELECT tenant, count(*) FROM c GROUP BY 1;
WITH calls AS (SELECT * FROM public.calls WHERE tenant = 'globex') SELECT * FROM calls;
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r;
SELECT * FROM calls c, LATERAL (SELECT count(*) FROM calls d WHERE d.date >= c.date) AS x;
SELECT tenant, grouping(tenant), count(*) FROM calls GROUP BY CUBE (tenant, team) ORDER BY 1, 3;
SELECT unnest(array_agg(tenant)) FROM calls;
SELECT DISTINCT claimed_who, tags, other_tokens FROM calls;

-- The other tables.
SELECT * FROM dead_letters;
SELECT count(*) FROM dead_letters WHERE tenant IS NULL;
SELECT tenant, reason FROM dead_letters WHERE tenant IS DISTINCT FROM 'acme';
SELECT * FROM anomalies;
SELECT explanation FROM anomalies WHERE tenant <> 'acme';
SELECT 1 / (revision + CASE WHEN tenant = 'globex' THEN 0 ELSE 1 END) FROM anomalies;
SELECT * FROM call_revisions;
SELECT tenant, side, count(*) FROM call_revisions GROUP BY 1, 2;
SELECT * FROM prices;
SELECT price_id FROM prices WHERE tenant IS NOT NULL;
SELECT count(*), count(tenant), count(DISTINCT price_id) FROM prices;
SELECT * FROM control;
SELECT count(*) FROM public.control;
SELECT key_hash FROM tokenmeter.public.control;
SELECT d.tenant, c.tenant FROM dead_letters d FULL JOIN calls c ON d.tenant = c.tenant LIMIT 9;

-- The catalogue.
SELECT * FROM information_schema.tables ORDER BY table_name;
SELECT * FROM information_schema.columns ORDER BY table_name, ordinal_position;
SELECT * FROM information_schema.views ORDER BY table_name;
SELECT * FROM information_schema.schemata ORDER BY schema_name;
SELECT * FROM information_schema.df_settings ORDER BY name;
SELECT count(*) FROM information_schema.routines;
SHOW COLUMNS FROM control;
DESCRIBE control;
DESCRIBE calls;
SHOW ALL;
SHOW datafusion.execution.batch_size;
SELECT * FROM pg_catalog.pg_class;
SELECT pg_relation_size('calls');

-- Files, functions of tables, settings, writing.
SELECT * FROM '/etc/passwd';
SELECT * FROM 'lake/calls/_delta_log/00000000000000000000.json';
SELECT * FROM read_parquet('calls/*.parquet');
SELECT * FROM parquet_metadata('calls');
SELECT * FROM metadata_cache();
SELECT * FROM statistics_cache();
SELECT * FROM list_files_cache();
SELECT * FROM generate_series(1, 1000000000);
SELECT * FROM range(1, 1000000000);
CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION 'lake/calls';
CREATE VIEW v AS SELECT * FROM calls;
CREATE TABLE t AS SELECT * FROM calls;
CREATE FUNCTION f(INT) RETURNS INT RETURN $1;
COPY calls TO '/tmp/calls.csv';
COPY (SELECT * FROM calls) TO 's3://elsewhere/calls.parquet';
INSERT INTO calls SELECT * FROM calls;
UPDATE calls SET tenant = 'acme';
DELETE FROM calls;
DROP TABLE calls;
TRUNCATE TABLE calls;
ALTER TABLE calls ADD COLUMN x INT;
SET datafusion.execution.target_partitions = 64;
RESET datafusion.execution.target_partitions;
SET ROLE admin;
PREPARE p AS SELECT * FROM calls;
EXECUTE p;
BEGIN;
KILL 1;
SELECT * INTO x FROM calls;
SELECT * FROM calls FOR UPDATE;
WITH x AS (DELETE FROM calls RETURNING *) SELECT * FROM x;
SELECT 1; SELECT * FROM calls;
SELECT $1 FROM calls;
SELECT current_setting('data_directory');
SELECT version(), current_user, session_user;
SELECT pg_sleep(100);
SELECT pg_read_file('/etc/passwd');

-- Bombs.
SELECT count(*) FROM calls a, calls b, calls c WHERE a.cost_usd + c.cost_usd > 99999;
SELECT repeat('A', 2147483647);
SELECT lpad('x', 2147483647, 'y'), rpad('x', 2147483647, 'y');
SELECT array_repeat('A', 2147483647);
SELECT array_resize(make_array(1), 2147483647, 1);
SELECT sum(length(a.event_id || b.event_id || c.event_id)) FROM calls a, calls b, calls c;
SELECT a.event_id, b.event_id FROM calls a, calls b ORDER BY 2, 1;
SELECT array_agg(a.event_id || b.event_id) FROM calls a, calls b;
