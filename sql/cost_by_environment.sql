-- How much is spent outside production?
-- Columns: environment, calls, cost_usd, percent of all cost.
SELECT coalesce(environment, 'unattributed') AS environment,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd,
    CAST(100 * sum(cost_usd) AS DECIMAL(28, 6))
        / (SELECT nullif(sum(cost_usd), 0) FROM calls) AS percent
FROM calls
GROUP BY 1
ORDER BY cost_usd DESC NULLS LAST, environment
