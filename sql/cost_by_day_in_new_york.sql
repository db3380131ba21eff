-- What was spent each day as New York counts days, with 23 or 25 hours when clocks change?
-- For another place put its IANA time zone in. Columns: day, calls, cost_usd.
SELECT CAST(occurred_at AT TIME ZONE 'America/New_York' AS DATE) AS day,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1
ORDER BY day
