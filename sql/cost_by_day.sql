-- What was spent each day, by any place's clocks?
-- Parameters:
--   time_zone = UTC: an IANA name; a day has 23 or 25 hours where clocks change
-- Columns:
--   day, calls, cost_usd
SELECT local_date(occurred_at, $1) AS day, count(*) AS calls, sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1
ORDER BY day
