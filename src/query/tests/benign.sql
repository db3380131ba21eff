-- Statements that a tenant's key must be able to ask, with the rows that anybody would get who had
-- these rows alone. A statement ends with a line that ends with a semicolon, and says its order.

-- Plain reading.
SELECT count(*) FROM calls;
SELECT event_id, tenant, cost_usd FROM calls ORDER BY event_id;
SELECT event_id FROM calls ORDER BY cost_usd DESC NULLS LAST, event_id LIMIT 5;
SELECT event_id FROM calls ORDER BY event_id LIMIT 5 OFFSET 10;
SELECT DISTINCT team FROM calls ORDER BY 1;
SELECT DISTINCT tenant, response_model FROM calls ORDER BY 1, 2;
SELECT event_id FROM calls WHERE team = '1' AND cost_usd > 0.001 ORDER BY 1;
SELECT event_id FROM calls WHERE team IN ('1', '3') AND cost_status = 'unpriced' ORDER BY 1;
SELECT event_id FROM calls WHERE event_id BETWEEN 'own-10' AND 'own-14' ORDER BY 1;
SELECT event_id FROM calls WHERE event_id LIKE '%7' ORDER BY 1;
SELECT event_id FROM calls WHERE response_model ILIKE 'GPT%' AND team = '2' ORDER BY 1;
SELECT count(*) FROM calls WHERE cost_usd IS NULL;
SELECT count(*), count(cost_usd), count(customer), count(product) FROM calls;
SELECT event_id, tags['note'] AS note FROM calls ORDER BY 1 LIMIT 2;
SELECT event_id, other_tokens['cache_write_30m'] AS written FROM calls ORDER BY 1 LIMIT 2;
SELECT c.event_id FROM public.calls AS c WHERE c.event_id = 'own-33';
SELECT "event_id" FROM tokenmeter.public.calls WHERE "event_id" = 'own-33';
SELECT event_id FROM calls WHERE (team, response_model) = ('1', 'gpt-5') ORDER BY 1;
SELECT event_id FROM calls WHERE product IS NULL AND team IS NOT NULL ORDER BY 1 LIMIT 3;
VALUES (1, 'a'), (2, 'b');
SELECT 1 AS one, 'two' AS two, 3.50 AS three, NULL AS nothing, true AS yes;

-- Sums and groups.
SELECT sum(cost_usd), min(cost_usd), max(cost_usd) FROM calls;
SELECT avg(cost_usd) FROM calls;
SELECT tenant, sum(cost_usd) AS usd FROM calls GROUP BY tenant;
SELECT team, count(*) AS calls, sum(cost_usd) AS usd FROM calls GROUP BY team ORDER BY team;
SELECT team, response_model, sum(cost_usd) FROM calls GROUP BY 1, 2 ORDER BY 1, 2;
SELECT response_model, count(*) FROM calls GROUP BY response_model HAVING count(*) > 10 ORDER BY 1;
SELECT team, count(*) FILTER (WHERE cost_status = 'unpriced') AS unpriced FROM calls GROUP BY 1 ORDER BY 1;
SELECT team, response_model, count(*) FROM calls GROUP BY ROLLUP (team, response_model) ORDER BY 1 NULLS LAST, 2 NULLS LAST;
SELECT team, provider, count(*) FROM calls GROUP BY GROUPING SETS ((team), (provider), ()) ORDER BY 1 NULLS LAST, 2 NULLS LAST;
SELECT team, provider, count(*) FROM calls GROUP BY CUBE (team, provider) ORDER BY 1 NULLS LAST, 2 NULLS LAST;
SELECT count(DISTINCT team), count(DISTINCT response_model) FROM calls;
SELECT sum(total_input_tokens), sum(total_output_tokens) FROM calls;
SELECT 1000 * sum(cost_usd) / nullif(sum(total_output_tokens), 0) FROM calls;
SELECT string_agg(event_id, ',' ORDER BY event_id) FROM calls WHERE team = '4';
SELECT array_agg(event_id ORDER BY event_id) FROM calls WHERE team = '4' AND provider = 'anthropic';
SELECT approx_distinct(team) FROM calls;
SELECT median(total_input_tokens), approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY total_input_tokens) FROM calls;
SELECT bool_and(cost_usd > 0), bool_or(cost_usd > 0.05) FROM calls WHERE cost_usd IS NOT NULL;
SELECT stddev(total_input_tokens) > 0, var_pop(total_input_tokens) > 0 FROM calls;
SELECT first_value(event_id ORDER BY occurred_at, event_id), last_value(event_id ORDER BY occurred_at, event_id) FROM calls;

-- Dates and times.
SELECT date, count(*) FROM calls GROUP BY date ORDER BY date;
SELECT date_trunc('hour', occurred_at) AS hour, count(*) FROM calls GROUP BY 1 ORDER BY 1 LIMIT 4;
SELECT date_trunc('day', occurred_at AT TIME ZONE 'America/New_York') AS day, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT date_trunc('day', occurred_at AT TIME ZONE 'Asia/Kolkata') AS day, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT date_bin(INTERVAL '6 hours', occurred_at) AS bin, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT extract(hour FROM occurred_at) AS hour, count(*) FROM calls GROUP BY 1 ORDER BY 1 LIMIT 3;
SELECT date_part('dow', occurred_at) AS weekday, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM calls WHERE date = '2026-11-21';
SELECT count(*) FROM calls WHERE date >= DATE '2026-11-21' AND date < DATE '2026-11-22';
SELECT count(*) FROM calls WHERE date BETWEEN '2026-11-20' AND '2026-11-22';
SELECT count(*) FROM calls WHERE occurred_at >= TIMESTAMP '2026-11-21T12:00:00Z';
SELECT count(*) FROM calls WHERE occurred_at < '2026-11-21T12:00:00Z';
SELECT count(*) FROM calls WHERE occurred_at >= TIMESTAMP '2026-11-22T00:00:00Z' - INTERVAL '3 hours';
SELECT min(occurred_at), max(occurred_at), max(occurred_at) - min(occurred_at) AS span FROM calls;
SELECT to_char(date, '%Y-%m') AS month, count(*) FROM calls GROUP BY 1;
SELECT DISTINCT date + INTERVAL '1 month' AS later FROM calls ORDER BY 1;
SELECT to_timestamp('2026-11-21T01:02:03Z') AS at, to_date('2026-11-21') AS day, make_date(2026, 11, 21) AS made;
SELECT count(*) FROM calls WHERE ingested_at <= now() AND occurred_at < current_date;

-- Casts and functions.
SELECT CAST(cost_usd AS DECIMAL(10, 2)) AS usd FROM calls WHERE event_id = 'own-33';
SELECT CAST(team AS INT) + 1 AS next, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT team::bigint * 2 AS doubled FROM calls WHERE event_id = 'own-02';
SELECT CAST(source_offset AS TEXT), CAST('12.50' AS DECIMAL(8, 4)), CAST(occurred_at AS DATE) FROM calls WHERE event_id = 'own-00';
SELECT try_cast(event_id AS INT) AS nothing FROM calls WHERE event_id = 'own-00';
SELECT upper(event_id), length(event_id), substr(event_id, 5), left(event_id, 3) FROM calls WHERE event_id = 'own-07';
SELECT split_part(event_id, '-', 2), replace(event_id, 'own', 'our'), concat(team, '/', provider) FROM calls WHERE event_id = 'own-07';
SELECT regexp_replace(event_id, '[0-9]+', 'n'), regexp_like(event_id, '^own') FROM calls WHERE event_id = 'own-07';
SELECT trim('  x '), lower('ABC'), reverse('abc'), strpos('abc', 'c'), position('b' IN 'abc'), starts_with('abc', 'a');
SELECT coalesce(product, 'unattributed'), nullif(team, '1') FROM calls WHERE event_id = 'own-00';
SELECT CASE WHEN cost_usd IS NULL THEN 'unknown' WHEN cost_usd < 0.01 THEN 'small' ELSE 'large' END AS size, count(*) FROM calls GROUP BY 1 ORDER BY 1;
SELECT round(12.345, 2), ceil(1.2), floor(1.8), abs(-3), 7 % 4, power(2, 10);
SELECT 10 / 4 AS whole, 10.0 / 4 AS exact, 1 + 2 * 3 AS sum, -5 AS minus;
SELECT greatest(1, 5, 3), least(1, 5, 3), nullif(1, 1), coalesce(NULL, 2);
SELECT arrow_typeof(cost_usd), arrow_typeof(occurred_at) FROM calls LIMIT 1;
SELECT encode(identity_hash, 'hex') <> '' AS hashed, octet_length(event_id) FROM calls ORDER BY event_id LIMIT 1;
SELECT cardinality(flags), array_length(make_array(1, 2, 3)), make_array(1, 2)[1] FROM calls LIMIT 1;
SELECT map_keys(tags), map_values(tags) FROM calls ORDER BY event_id LIMIT 1;
SELECT encode(arrow_cast('a', 'Binary'), 'hex'), encode(arrow_cast('abc', 'Binary'), 'base64');
SELECT cost_usd * 2, cost_usd + 1, cost_usd / 3, -cost_usd FROM calls WHERE event_id = 'own-01';
SELECT input_cost_usd + cache_cost_usd + output_cost_usd + fees_cost_usd = cost_usd AS sums FROM calls WHERE cost_usd IS NOT NULL GROUP BY 1;

-- Joins and subqueries.
SELECT a.event_id, b.event_id FROM calls a JOIN calls b ON a.event_id = b.event_id WHERE a.team = '3' ORDER BY 1 LIMIT 3;
SELECT count(*) FROM calls a CROSS JOIN calls b;
SELECT count(*) FROM calls a, calls b WHERE a.date = b.date AND a.team = b.team;
SELECT a.team, count(b.event_id) FROM (SELECT DISTINCT team FROM calls) a LEFT JOIN calls b ON a.team = b.team AND b.provider = 'anthropic' GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM calls a FULL JOIN prices p ON a.priced_model = p.model;
SELECT count(*) FROM calls a RIGHT JOIN prices p ON a.tenant = p.tenant;
SELECT count(*) FROM calls a LEFT SEMI JOIN prices p ON a.tenant = p.tenant;
SELECT count(*) FROM calls a NATURAL JOIN (SELECT DISTINCT team FROM calls WHERE team < '3') b;
SELECT count(*) FROM calls a JOIN calls b USING (event_id);
SELECT event_id FROM calls WHERE cost_usd = (SELECT max(cost_usd) FROM calls);
SELECT event_id FROM calls WHERE team IN (SELECT team FROM calls WHERE event_id = 'own-05') ORDER BY 1 LIMIT 3;
SELECT count(*) FROM calls a WHERE EXISTS (SELECT 1 FROM calls b WHERE b.team = a.team AND b.cost_usd > 0.05);
SELECT count(*) FROM calls a WHERE NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = a.event_id);
SELECT event_id, (SELECT count(*) FROM calls b WHERE b.team = a.team) AS peers FROM calls a ORDER BY 1 LIMIT 3;
SELECT * FROM (SELECT team, sum(cost_usd) AS usd FROM calls GROUP BY team) AS t WHERE usd > 0.3 ORDER BY team;
SELECT team FROM calls WHERE provider = 'openai' UNION SELECT 'none' ORDER BY 1;
SELECT event_id FROM calls WHERE team = '1' UNION ALL SELECT event_id FROM calls WHERE team = '1' ORDER BY 1 LIMIT 4;
SELECT event_id FROM calls WHERE team = '1' INTERSECT SELECT event_id FROM calls WHERE provider = 'anthropic' ORDER BY 1;
SELECT event_id FROM calls WHERE team = '1' EXCEPT SELECT event_id FROM calls WHERE provider = 'openai' ORDER BY 1;
SELECT unnest(make_array(3, 1, 2)) AS n ORDER BY n;

-- Windows.
SELECT event_id, row_number() OVER (ORDER BY event_id) AS place FROM calls ORDER BY 1 LIMIT 3;
SELECT event_id, rank() OVER (PARTITION BY team ORDER BY cost_usd DESC NULLS LAST) AS place FROM calls ORDER BY 1 LIMIT 8;
SELECT event_id, sum(cost_usd) OVER (ORDER BY occurred_at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running FROM calls ORDER BY occurred_at, event_id LIMIT 5;
SELECT event_id, lag(event_id) OVER (ORDER BY event_id) AS before, lead(event_id) OVER (ORDER BY event_id) AS after FROM calls ORDER BY 1 LIMIT 3;
SELECT team, sum(cost_usd) AS usd, sum(sum(cost_usd)) OVER () AS total FROM calls GROUP BY team ORDER BY team;
SELECT team, CAST(100 * sum(cost_usd) AS DECIMAL(20, 6)) / sum(sum(cost_usd)) OVER () AS share FROM calls GROUP BY team ORDER BY team;
SELECT event_id, first_value(event_id) OVER (PARTITION BY team ORDER BY event_id) AS first FROM calls ORDER BY 1 LIMIT 6;
SELECT event_id, ntile(4) OVER (ORDER BY event_id) AS quarter FROM calls ORDER BY 1 LIMIT 3;
SELECT event_id, dense_rank() OVER w, percent_rank() OVER w FROM calls WINDOW w AS (ORDER BY team) ORDER BY 1 LIMIT 3;
SELECT event_id, avg(total_input_tokens) OVER (ORDER BY event_id ROWS 2 PRECEDING) AS recent FROM calls ORDER BY 1 LIMIT 4;
SELECT * FROM (SELECT event_id, team, row_number() OVER (PARTITION BY team ORDER BY cost_usd DESC NULLS LAST, event_id) AS place FROM calls) AS t WHERE place = 1 ORDER BY team;
SELECT event_id FROM calls QUALIFY row_number() OVER (PARTITION BY team ORDER BY event_id) = 1 ORDER BY 1;

-- Common table expressions.
WITH t AS (SELECT team, sum(cost_usd) AS usd FROM calls GROUP BY team) SELECT * FROM t ORDER BY team;
WITH a AS (SELECT * FROM calls WHERE team = '1'), b AS (SELECT * FROM a WHERE provider = 'openai') SELECT count(*) FROM b;
WITH t (name, usd) AS (SELECT team, sum(cost_usd) FROM calls GROUP BY 1) SELECT name, usd FROM t WHERE usd IS NOT NULL ORDER BY usd DESC, name;
WITH d AS (SELECT date, sum(cost_usd) AS usd FROM calls GROUP BY date) SELECT date, usd, usd - lag(usd) OVER (ORDER BY date) AS change FROM d ORDER BY date;
WITH t AS (SELECT max(cost_usd) AS top FROM calls) SELECT event_id FROM calls, t WHERE cost_usd = top;

-- The other tables.
SELECT tenant, reason, count(*) FROM dead_letters GROUP BY 1, 2 ORDER BY 1, 2;
SELECT price_id, tenant FROM prices ORDER BY price_id;
SELECT scope, tenant, actual_usd, expected_usd FROM anomalies ORDER BY tenant;
SELECT side, count(*), sum(cost_usd) FROM call_revisions GROUP BY side ORDER BY side;
SELECT count(*) FROM calls c JOIN call_revisions r ON c.identity_hash = r.identity_hash;

-- The catalogue.
SHOW COLUMNS FROM dead_letters;
DESCRIBE anomalies;
DESCRIBE calls;
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1;
SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'calls' ORDER BY ordinal_position LIMIT 12;
SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public';
SELECT schema_name FROM information_schema.schemata ORDER BY 1;
EXPLAIN SELECT count(*) FROM calls;
EXPLAIN SELECT team, sum(cost_usd) FROM calls WHERE date = '2026-11-21' GROUP BY team ORDER BY 2 DESC;
EXPLAIN SELECT a.event_id FROM calls a JOIN prices p ON a.priced_model = p.model WHERE a.team = '1';
