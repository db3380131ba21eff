-- What does each sending service cost, by which provider's API and tier?
-- Columns:
--   source, provider, api, service_tier, calls, cost_usd
SELECT source, provider, api, service_tier, count(*) AS calls, sum(cost_usd) AS cost_usd
FROM calls
GROUP BY source, provider, api, service_tier
ORDER BY cost_usd DESC NULLS LAST, source, provider, api, service_tier
