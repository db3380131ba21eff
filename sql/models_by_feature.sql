-- Which models answer the same feature, and at what cost per call?
-- Columns:
--   feature, model
--   calls: priced ones only
--   cost_usd, usd_per_call
--   place: 1 is the cheapest per call
SELECT feature, model, calls, cost_usd, usd_per_call,
    rank() OVER (PARTITION BY feature ORDER BY usd_per_call) AS place
FROM (
    SELECT coalesce(feature, 'unattributed') AS feature,
        coalesce(priced_model, response_model) AS model,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd,
        sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_call
    FROM calls
    WHERE cost_usd IS NOT NULL
    GROUP BY 1, 2
) AS answered
ORDER BY feature, place, model
