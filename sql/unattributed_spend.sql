-- What was spent that nobody is named for, and where does it come from?
-- Columns: source, api_key, calls, cost_usd.
SELECT source, api_key, count(*) AS calls, sum(cost_usd) AS cost_usd
FROM calls
WHERE coalesce(tenant, 'unattributed') = 'unattributed'
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, source, api_key
