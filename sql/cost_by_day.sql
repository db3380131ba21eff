-- What was spent each UTC day?
-- Columns: date, calls, cost_usd.
SELECT date, count(*) AS calls, sum(cost_usd) AS cost_usd
FROM calls
GROUP BY date
ORDER BY date
